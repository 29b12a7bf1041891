#include "common/options/manual.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "common/options/settings.hpp"
#include "common/process/error.hpp"
#include "common/text/encoding.hpp"
#include "common/text/screen_text.hpp"
#include "common/text/words.hpp"
#include "common/version.hpp"

namespace sistem {
namespace {

constexpr std::size_t help_width = 80;
constexpr std::size_t help_column = 29;  // where the explanations of a list begin
constexpr std::size_t entry_indent = 6;  // where those of a single option begin

/// The sections, in the table's order.
std::vector<std::string> sections_of(const std::vector<Option>& table) {
  std::vector<std::string> sections;
  for (const Option& option : table) {
    if (std::ranges::find(sections, option.section) == sections.end()) {
      sections.push_back(option.section);
    }
  }
  return sections;
}

/// "--name VALUE", as help writes it.
std::string name_and_value(const Option& option) {
  return fmt::format("--{}{}{}", option.name, option.needs_value() ? " " : "", option.value);
}

/// What the option is without being given; empty where that says nothing: it has no value then, or is a flag that is
/// not set. Not asked of options that ask for something to be shown: they have their values already.
std::string default_of(const Option& option) {
  if (option.homes != Homes::all || !option.field.get || option.secret) {
    return {};
  }
  const std::string value = joined(option.field.get());
  return value == "false" ? "" : value;
}

/// The names of the options that cannot be given together with this one.
std::string rivals_of(const Option& option, const std::vector<Option>& table) {
  return listed(table, [&](const Option& other) { return are_rivals(option, other); });
}

// --help ------------------------------------------------------------------------------------------------------

/// What a list has to say of an option: "Port of the broker (default: 1883)."
std::string brief(const Option& option) {
  std::string sentence = first_sentence(option.help);
  const std::string value = option.is_flag() ? "" : default_of(option);
  if (!value.empty() && sentence.ends_with('.')) {
    sentence.pop_back();
    sentence += fmt::format(" (default: {}).", value);
  }
  return sentence;
}

/// All that a page has to say of it, but not its entry's list of facts.
std::string full(const Option& option, const std::vector<Option>& table) {
  std::string text{option.help};
  const auto& choices = option.field.choices;
  const bool are_named = std::all_of(choices.begin(), choices.end(), [&](const std::string& choice) {
    return option.help.find(choice) != std::string::npos;
  });
  text += are_named ? "" : fmt::format(" Values: {}.", fmt::join(choices, ", "));
  text += option.field.repeatable && option.help.find("repeated") == std::string::npos ? " May be repeated." : "";
  const std::string initial = default_of(option);
  if (!initial.empty()) {
    text += option.is_flag() ? fmt::format(" On without being given; --{}=false turns it off.", option.name)
                             : fmt::format(" Default: {}.", initial);
  }
  const std::string rivals = rivals_of(option, table);
  text += rivals.empty() ? "" : fmt::format(" Not together with {}.", rivals);
  for (const std::string& alias : option.aliases) {
    text += fmt::format(" Also --{}.", alias);
  }
  return text;
}

std::string help_row(const Option& option, const std::string& what) {
  std::string row = option.letter != 0 ? fmt::format("  -{}, ", option.letter) : std::string(entry_indent, ' ');
  row += name_and_value(option);
  row = row.size() + 1 < help_column ? fmt::format("{:<{}}", row, help_column)
                                     : fmt::format("{}\n{:{}}", row, "", help_column);
  return row + wrapped(what, help_column, help_column) + "\n";
}

enum class Detail { brief, full };

std::string help_section(const std::string& section, const std::vector<Option>& table, Detail detail) {
  std::string text = section + ":\n";
  for (const Option& option : table) {
    if (option.section == section && (detail == Detail::full || !is_refused(option))) {
      text += help_row(option, detail == Detail::full ? full(option, table) : brief(option));
    }
  }
  return text;
}

std::string usage(const ToolText& tool) {
  std::string text = fmt::format("Usage: {} [OPTION]...\n", tool.name);
  for (const std::string& way : tool.synopsis) {
    text += fmt::format("       {} {}\n", tool.name, wrapped(way, 11, 8 + tool.name.size()));
  }
  return text;
}

/// What there is beyond the list.
std::string help_on_help(const std::vector<Option>& table, const ToolText& tool) {
  std::string text;
  if (const std::string refused = listed(table, is_refused); !refused.empty()) {
    text += wrapped(fmt::format("Known from {} and refused, each with its reason: {}.", tool.drop_in_for, refused), 0) +
            "\n\n";
  }
  text += wrapped(
              "An option can also stand in an options file (--help options) and in the environment: --will-topic as "
              "MQTT_WILL_TOPIC. The command line wins over a variable, and that over a file.",
              0) +
          "\n\n";
  return text +
         wrapped(fmt::format("More: \"{} --help OPTION\" says all about one option, --help with one of these "
                             "words about that: {}.",
                             tool.name, fmt::join(help_topics(table, tool), ", ")),
                 0) +
         "\n";
}

/// An option's name in the list of its entry, and what is so.
std::string fact(const std::string& name, const std::string& what) {
  constexpr std::size_t column = 18;
  return what.empty()
             ? ""
             : fmt::format("{:<{}}{}\n", std::string(entry_indent, ' ') + name, column, wrapped(what, column, column));
}

std::string line_in_a_file(const Option& option) {
  if (option.homes != Homes::all) {
    return "not there";
  }
  // "[=SECONDS]"
  const std::string value = option.may_omit_value() ? option.value.substr(2, option.value.size() - 3) : option.value;
  return option.is_flag() ? option.name : fmt::format("{} = {}", option.name, value);
}

/// What its row says of others: lines of its entry.
std::string facts_of_rules(const Option& option, const std::vector<Option>& table) {
  std::string text;
  for (const Rule& rule : option.needs) {
    text += fact("Needs", in_words(rule));
  }
  for (const Rule& rule : option.excludes) {
    text += fact("Not with", in_words(rule));
  }
  for (const Option& other : table) {
    for (const Rule& rule : other.excludes) {
      const auto names = split(rule.options);
      const bool is_named = std::find(names.begin(), names.end(), option.name) != names.end();
      text += is_named ? fact("Not with", in_words({other.name, rule.why})) : "";
    }
  }
  text += fact("Ends run", option.ends_run == EndsRun::when_met  ? "when what it waits for has happened"
                           : option.ends_run == EndsRun::in_time ? "after that time"
                                                                 : "");
  switch (option.mqtt5) {
    case Mqtt5::preferred: return text + fact("Version", "MQTT 5, unless another one is asked for");
    case Mqtt5::implied: return text + fact("Version", "MQTT 5 alone, which it brings");
    case Mqtt5::needed: return text + fact("Version", "MQTT 5 alone: --protocol-version 5");
    case Mqtt5::unrelated: break;
  }
  return text;
}

/// All about an option.
std::string help_entry(const Option& option, const std::vector<Option>& table) {
  std::string text = option.letter != 0 ? fmt::format("-{}, ", option.letter) : "";
  text += name_and_value(option) + "\n" + std::string(entry_indent, ' ') +
          wrapped(option.help, entry_indent, entry_indent) + "\n\n";
  const bool elsewhere = option.homes != Homes::command_line_only && !is_refused(option);
  std::string initial = default_of(option);
  if (option.is_flag() && !initial.empty()) {
    initial = fmt::format("on; --{}=false turns it off", option.name);
  }
  text += fact("Section", option.section);
  text += fact("Also", option.aliases.empty() ? "" : fmt::format("--{}", fmt::join(option.aliases, ", --")));
  text += fact("Values", fmt::format("{}", fmt::join(option.field.choices, ", ")));
  text += fact("Default", initial);
  text += fact("Repeated", option.field.repeatable ? "adds up" : "");
  text += fact("Instead of", rivals_of(option, table));
  text += facts_of_rules(option, table);
  text += elsewhere ? fact("Variable", variable_of(option.name) +
                                           (option.field.repeatable ? ", with a value on each of its lines" : ""))
                    : "";
  text += elsewhere ? fact("In a file", line_in_a_file(option))
                    : fact("Home", is_refused(option) ? "" : "the command line only");
  return text + (option.secret ? fact("Secret", "never shown, and not saved in a profile") : "");
}

std::string paragraph_of_help(const Paragraph& paragraph, std::size_t term_width) {
  std::string text;
  if (!paragraph.term.empty()) {
    const std::size_t column = term_width + 2;
    text = "  " + paragraph.term;
    text = columns_of(text) + 1 < column ? fmt::format("{:<{}}", text, column)
                                         : fmt::format("{}\n{:{}}", text, "", column);
    return text + wrapped(paragraph.text, column, column) + "\n";
  }
  if (paragraph.text.find('\n') == std::string::npos) {
    return "  " + wrapped(paragraph.text, 2, 2) + "\n";
  }
  for (const std::string& line : pieces(paragraph.text, "\n")) {
    text += "      " + line + "\n";
  }
  return text;
}

std::string help_chapter(const Chapter& chapter) {
  std::string text = chapter.heading + ":\n";
  constexpr std::size_t most = 24;  // a longer term stands on a line of its own
  std::size_t widest = 0;
  for (const Paragraph& paragraph : chapter.paragraphs) {
    const std::size_t columns = columns_of(paragraph.term);
    widest = columns > most ? widest : std::max(widest, columns);
  }
  const Paragraph* before = nullptr;
  for (const Paragraph& paragraph : chapter.paragraphs) {
    const bool goes_on = before == nullptr || (!before->term.empty() && !paragraph.term.empty());
    text += goes_on ? "" : "\n";
    text += paragraph_of_help(paragraph, widest + 2);
    before = &paragraph;
  }
  return text;
}

const Option* option_of_topic(const std::string& topic, const std::vector<Option>& table) {
  const std::string word = without_dashes(topic);
  if (const Option* option = find_option(table, word)) {
    return option;
  }
  if (word.size() == 1) {
    return find_letter(table, word.front());
  }
  const auto row = std::ranges::find(table, word, [](const Option& option) { return variable_of(option.name); });
  return row == table.end() ? nullptr : &*row;
}

UsageError no_such_topic(const std::string& topic, const std::vector<Option>& table, const ToolText& tool) {
  const std::vector<std::string> topics = help_topics(table, tool);
  std::vector<std::string> candidates = topics;
  std::ranges::move(names_of(table), std::back_inserter(candidates));
  const std::string word = without_dashes(topic);
  return UsageError(fmt::format("--help: no option or section \"{}\"{}; besides the options there are the sections {}",
                                shortened(topic), suggestion(in_small_letters(word), candidates),
                                fmt::join(topics, ", ")));
}

// The man page ------------------------------------------------------------------------------------------------

/// `text` as roff reads it, and shows nothing else than that. For a line's beginning as for its middle.
std::string escaped(std::string_view text) {
  // A control character at a line's beginning would make it a request.
  std::string roff = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  while (!text.empty()) {
    const std::uint32_t character = take_character(text).point;
    switch (character) {
      case '\\': roff += "\\e"; break;
      case '-': roff += "\\-"; break;  // a plain one may become a hyphen, which nobody can paste into a shell
      case '\'': roff += "\\(aq"; break;
      case '"': roff += "\\(dq"; break;
      case '`': roff += "\\(ga"; break;
      case '^': roff += "\\(ha"; break;
      case '~': roff += "\\(ti"; break;
      default:
        if (character < 0x80U) {
          roff += static_cast<char>(character);
        } else {
          roff += fmt::format("\\[u{:04X}]", character);
        }
    }
  }
  return roff;
}

std::string bold(std::string_view text) { return "\\fB" + escaped(text) + "\\fR"; }

/// How to write an option and its value: options bold, words in capitals slanted, the rest as it is.
std::string man_usage(std::string_view usage) {
  std::string roff;
  for (std::size_t at = 0; at < usage.size();) {
    const bool is_option = usage[at] == '-';
    std::size_t end = at;
    while (end < usage.size() && (usage[end] == '-' || std::isalnum(static_cast<unsigned char>(usage[end])) != 0)) {
      ++end;
    }
    end = std::max(end, at + 1);
    const std::string word = escaped(usage.substr(at, end - at));
    const bool is_word = std::isupper(static_cast<unsigned char>(usage[at])) != 0;
    roff += is_option ? "\\fB" + word + "\\fR" : is_word ? "\\fI" + word + "\\fR" : word;
    at = end;
  }
  return roff;
}

/// A line by itself.
std::string man_line(std::string_view text) { return escaped(text) + "\n"; }

std::string man_sample(const std::string& text) {
  std::string roff = ".PP\n.RS 4\n.nf\n";
  for (const std::string& line : pieces(text, "\n")) {
    roff += man_line(line);
  }
  return roff + ".fi\n.RE\n";
}

std::string man_option(const Option& option, const std::vector<Option>& table) {
  std::string roff = ".TP\n";
  roff += option.letter != 0 ? bold(fmt::format("-{}", option.letter)) + ", " : "";
  roff += bold("--" + option.name) + (option.needs_value() ? " " : "") + man_usage(option.value) + "\n";
  return roff + man_line(full(option, table));
}

std::string man_chapter(const Chapter& chapter) {
  std::string roff = fmt::format(".SH {}\n", escaped(in_capitals(chapter.heading)));
  for (const Paragraph& paragraph : chapter.paragraphs) {
    if (!paragraph.term.empty()) {
      roff += fmt::format(".TP 8\n{}\n{}", bold(paragraph.term), man_line(paragraph.text));
    } else if (paragraph.text.find('\n') == std::string::npos) {
      roff += ".PP\n" + man_line(paragraph.text);
    } else {
      roff += man_sample(paragraph.text);
    }
  }
  return roff;
}

std::string man_synopsis(const ToolText& tool) {
  std::string roff = fmt::format(".SH SYNOPSIS\n{} [\\fIOPTION\\fR]...\n", bold(tool.name));
  for (const std::string& way : tool.synopsis) {
    roff += fmt::format(".br\n{} {}\n", bold(tool.name), man_usage(way));
  }
  return roff;
}

std::string man_options(const std::vector<Option>& table) {
  std::string roff = ".SH OPTIONS\n";
  for (const std::string& section : sections_of(table)) {
    roff += fmt::format(".SS {}\n", escaped(section));
    for (const Option& option : table) {
      roff += option.section == section ? man_option(option, table) : "";
    }
  }
  return roff;
}

std::string man_examples(const ToolText& tool) {
  std::string roff = ".SH EXAMPLES\n";
  for (const std::string& line : pieces(tool.examples, "\n")) {
    roff += line.starts_with("# ") ? ".PP\n" + man_line(line.substr(2) + ":") : man_sample(line);
  }
  return roff;
}

std::string man_see_also(const ToolText& tool) {
  return fmt::format(
      ".SH SEE ALSO\n{}(1),\n{}(1),\n{}(8),\n{}(7)\n"
      ".PP\nMQTT Version 5.0 and MQTT Version 3.1.1, OASIS Standards.\n",
      bold(tool.name == "pub" ? "sub" : "pub"), bold(tool.drop_in_for), bold("mosquitto"), bold("mqtt"));
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t start) {
  std::string lines;
  std::size_t column = start;
  for (const std::string& word : pieces(text, " ")) {
    if (!lines.empty() && column + 1 + columns_of(word) > help_width) {
      lines += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!lines.empty()) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += columns_of(word);
  }
  return lines;
}

std::string first_sentence(std::string_view help) {
  for (std::size_t at = help.find(". "); at != std::string::npos; at = help.find(". ", at + 1)) {
    const bool abbreviates = at >= 3 && help[at - 2] == '.';  // e.g.
    if (!abbreviates) {
      return std::string(help.substr(0, at + 1));
    }
  }
  return std::string(help);
}

std::string help_text(const std::vector<Option>& table, const ToolText& tool) {
  std::string text = usage(tool);
  for (const std::string& paragraph : pieces(tool.description, "\n\n")) {
    text += "\n" + wrapped(paragraph, 0) + "\n";
  }
  for (const std::string& section : sections_of(table)) {
    text += "\n" + help_section(section, table, Detail::brief);
  }
  text += "\n" + help_on_help(table, tool) + "\nExamples:\n";
  for (const std::string& line : pieces(tool.examples, "\n")) {
    text += "  " + line + "\n";
  }
  return text;
}

std::string help_on(const std::string& topic, const std::vector<Option>& table, const ToolText& tool) {
  if (const Option* option = option_of_topic(topic, table)) {
    return help_entry(*option, table);
  }
  const std::string beginning = in_small_letters(topic);
  std::string text;
  const auto begins = [&](const std::string& name) { return in_small_letters(name).starts_with(beginning); };
  for (const std::string& section : sections_of(table)) {
    text += begins(section) ? (text.empty() ? "" : "\n") + help_section(section, table, Detail::full) : "";
  }
  for (const Chapter& chapter : chapters(table, tool)) {
    text += begins(chapter.heading) ? (text.empty() ? "" : "\n") + help_chapter(chapter) : "";
  }
  if (text.empty()) {
    throw no_such_topic(topic, table, tool);
  }
  return text;
}

std::vector<std::string> help_topics(const std::vector<Option>& table, const ToolText& tool) {
  std::vector<std::string> topics;
  const auto add = [&](const std::string& heading) {
    const std::string topic = in_small_letters(heading.substr(0, heading.find(' ')));
    // An option of that name would be shown instead.
    if (std::find(topics.begin(), topics.end(), topic) == topics.end() && find_option(table, topic) == nullptr) {
      topics.push_back(topic);
    }
  };
  for (const std::string& section : sections_of(table)) {
    add(section);
  }
  for (const Chapter& chapter : chapters(table, tool)) {
    add(chapter.heading);
  }
  return topics;
}

std::string man_page(const std::vector<Option>& table, const ToolText& tool) {
  // No date: the same source gives the same page. No hyphenation and no stretched lines: names are there to be copied.
  // The man macros of groff 1.23 set both anew at each paragraph, to what the register and the string say.
  std::string roff = fmt::format(".TH {0} 1 \"\" \"{1} {2}\" \"User Commands\"\n.nh\n.ad l\n.nr HY 0\n.ds AD l\n",
                                 in_capitals(tool.name), tool.name, project_version);
  roff += fmt::format(".SH NAME\n{} \\- {}\n", escaped(tool.name), escaped(tool.summary));
  roff += man_synopsis(tool);
  Chapter description{"Description", {}};
  for (const std::string& paragraph : pieces(tool.description, "\n\n")) {
    description.paragraphs.push_back({paragraph});
  }
  roff += man_chapter(description);
  roff += man_options(table);
  for (const Chapter& chapter : chapters(table, tool)) {
    roff += man_chapter(chapter);
  }
  return roff + man_examples(tool) + man_see_also(tool);
}

}  // namespace sistem
