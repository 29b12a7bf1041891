#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/options/settings.hpp"

namespace sistem {

/// A paragraph of the manual.
struct Paragraph {
  std::string text;       ///< one of several lines is a sample, which is shown as it stands
  std::string term = {};  ///< what it explains, in a list of such
};

/// A part of the manual beside the options, which --help finds by the beginning of its heading.
struct Chapter {
  std::string heading;
  std::vector<Paragraph> paragraphs;
};

/// `text` on lines of up to 80 columns, broken at blanks; all lines but the first begin with `indent` blanks. `text`
/// itself is thought to begin at column `start`. A word that is longer than a line stays whole.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent, std::size_t start = 0);

/// An option's first sentence: what a list of options has room for. help_on() and the man page have the rest.
[[nodiscard]] std::string first_sentence(std::string_view help);

/// All of --help: 80 columns, grouped by section in the table's order, the first sentence of each option and its
/// default, examples at the end. `table` is the whole one.
[[nodiscard]] std::string help_text(const std::vector<Option>& table, const ToolText& tool);

/// --help TOPIC: all about an option, by any of its names, its letter or its variable, with or without dashes; the
/// sections and chapters whose name begins so, in any case: "exit" for the exit statuses. Throws UsageError, with the
/// nearest, for anything else.
[[nodiscard]] std::string help_on(const std::string& topic, const std::vector<Option>& table, const ToolText& tool);

/// What help_on() takes besides options: the first words of sections and chapters, in small letters.
[[nodiscard]] std::vector<std::string> help_topics(const std::vector<Option>& table, const ToolText& tool);

/// The manual beside the options, in order: the tool's own chapters, then those that both tools have.
[[nodiscard]] std::vector<Chapter> chapters(const std::vector<Option>& table, const ToolText& tool);

/// The man page, in man(7), which is ASCII: other characters stand as groff's escapes.
[[nodiscard]] std::string man_page(const std::vector<Option>& table, const ToolText& tool);

}  // namespace sistem
