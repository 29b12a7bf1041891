#include "common/manual.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/nearest.hpp"

namespace sistem {
namespace {

constexpr std::size_t help_width = 80;
constexpr std::size_t help_column = 29;  // where the explanations begin

std::string with_default(const Option& option) {
  const auto values = option.is_flag() || !option.field.get ? std::vector<std::string>{} : option.field.get();
  return values.size() == 1 ? fmt::format("{} Default: {}.", option.help, values.front()) : option.help;
}

std::string help_row(const Option& option) {
  const std::string letter = option.letter != 0 ? fmt::format("-{}, ", option.letter) : "    ";
  const std::string value = option.may_omit_value() || option.is_flag() ? option.value : " " + option.value;
  std::string row = fmt::format("  {}--{}{}", letter, option.name, value);
  row +=
      row.size() + 1 < help_column ? std::string(help_column - row.size(), ' ') : "\n" + std::string(help_column, ' ');
  return row + wrapped(with_default(option), help_column, help_column) + "\n";
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t start) {
  std::string lines;
  std::size_t column = start;
  bool begun = false;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    if (begun && column + 1 + word.size() > help_width) {
      lines += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (begun) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += word.size();
    begun = true;
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  }
  return lines;
}

std::string help_text(const std::vector<Option>& table, const ToolText& tool) {
  std::string text = fmt::format("Usage: {} [OPTION]...\n{}\n", tool.name, wrapped(tool.description, 0));
  std::vector<std::string> sections;
  for (const Option& option : table) {
    if (std::find(sections.begin(), sections.end(), option.section) == sections.end()) {
      sections.push_back(option.section);
    }
  }
  for (const std::string& section : sections) {
    text += fmt::format("\n{}:\n", section);
    for (const Option& option : table) {
      text += option.section == section ? help_row(option) : "";
    }
  }
  return text + "\nExamples:\n" + tool.examples;
}

std::string help_on(const std::string& topic, const std::vector<Option>& table, const ToolText& tool) {
  return help_text(table, tool) + topic;
}

std::string man_page(const std::vector<Option>& table, const ToolText& tool) { return help_text(table, tool); }

}  // namespace sistem
