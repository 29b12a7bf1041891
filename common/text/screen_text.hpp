#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sistem {

/// Whether a text may go over several lines: then newlines and tabs stay what they are.
enum class TextLines { one, several };

/// Bytes of a stranger as they may be put on a terminal, and into each line that is for a person: everything that would
/// act on it instead of being seen is spelled out. Control characters become \n, \x1b, \u007f or \u009b, marks that
/// turn the direction of writing \u202e, and bytes that are no UTF-8 \xff. What is shown can be shown again: it stays
/// as it is.
[[nodiscard]] std::string shown(std::string_view bytes, TextLines lines = TextLines::one);

/// How many columns of a terminal such a text takes: East Asian characters and emoji take two, combining marks none.
[[nodiscard]] std::size_t columns_of(std::string_view shown);

/// The text in exactly so many columns: filled up with blanks, or cut, and then its last character is an ellipsis.
[[nodiscard]] std::string fitted(std::string_view shown, std::size_t columns);

}  // namespace sistem
