#include "common/options/manual.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/mqtt/property.hpp"
#include "common/options/chapters.txt.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

// What stands in the text for parts that are made from tables; entries of a list as that text has them.

std::string packets() {
  std::string list;
  for (const auto& [packet, properties] : property_words()) {
    list += fmt::format("{}\n  {}.\n", packet, fmt::join(properties, ", "));
  }
  return list;
}

std::string variables(const std::vector<Option>& table) {
  std::vector<std::string> names;
  for (const Option& option : table) {
    if (option.homes != Homes::command_line_only && !is_refused(option)) {
      names.push_back(variable_of(option.name));
    }
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string refused(const std::vector<Option>& table) {
  const std::string names = listed(table, is_refused);
  return names.empty() ? "" : fmt::format("refused\n  {}. Each is known, and says why when it is used.\n", names);
}

// The text ----------------------------------------------------------------------------------------------------

/// Reads "# Heading" and what follows: paragraphs, with empty lines between them; samples, four blanks before each
/// line; lists, in which a line is a term, and those below it, with two blanks before them, explain it.
std::vector<Chapter> read_chapters(std::string_view text) {
  std::vector<Chapter> all;
  bool begins = true;
  for (const std::string& line : pieces(text, "\n")) {
    if (line.starts_with("# ")) {
      all.push_back({line.substr(2), {}});
    } else if (!line.empty()) {
      auto& paragraphs = all.back().paragraphs;
      const bool is_sample = line.starts_with("    ");
      const bool explains = !is_sample && line.starts_with("  ");
      if (!explains && (begins || !paragraphs.back().term.empty())) {
        paragraphs.emplace_back();
      }
      Paragraph& last = paragraphs.back();
      if (explains && last.term.empty()) {
        std::swap(last.term, last.text);
      }
      last.text += is_sample ? line.substr(4) + "\n" : (last.text.empty() ? "" : " ") + line.substr(explains ? 2 : 0);
    }
    begins = line.empty() || line.starts_with("# ");
  }
  return all;
}

}  // namespace

std::vector<Chapter> chapters(const std::vector<Option>& table, const ToolText& tool) {
  return read_chapters(std::string(tool.chapters) + "\n" +
                       filled(std::string(common_chapters), {{"@tool@", tool.name},
                                                             {"@other@", tool.drop_in_for},
                                                             {"@packets@", packets()},
                                                             {"@variables@", variables(table)},
                                                             {"@refused@", refused(table)}}));
}

}  // namespace sistem
