// What a stranger sends must not act on a terminal, nor be taken for a line of ours: each such character, in each mode
// in which messages are shown on a terminal, and in all that is said on stderr.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/process/console.hpp"
#include "common/text/screen_text.hpp"
#include "sub/show/format.hpp"
#include "sub/show/graph.hpp"
#include "sub/show/lines.hpp"
#include "sub/show/watch.hpp"
#include "tests/support/pipe.hpp"
#include "tests/support/property.hpp"

namespace sistem {
namespace {

std::string utf8(unsigned point) {
  if (point < 0x80) {
    return {static_cast<char>(point)};
  }
  if (point < 0x800) {
    return {static_cast<char>(0xC0U | point >> 6U), static_cast<char>(0x80U | (point & 0x3FU))};
  }
  return {static_cast<char>(0xE0U | point >> 12U), static_cast<char>(0x80U | (point >> 6U & 0x3FU)),
          static_cast<char>(0x80U | (point & 0x3FU))};
}

/// What acts, as bytes: written down here, not asked of the code that is tried.
std::vector<std::string> acting_characters() {
  std::vector<std::string> all;
  const auto add = [&](unsigned first, unsigned last) {
    for (unsigned point = first; point <= last; ++point) {
      all.push_back(utf8(point));
    }
  };
  add(0x00, 0x1F);      // the first set of control characters: ESC, CR, LF
  add(0x7F, 0x9F);      // DEL and the second set: CSI is U+009B
  add(0x061C, 0x061C);  // marks of direction, embeddings, overrides and isolates, and what ends a line or paragraph
  add(0x200E, 0x200F);
  add(0x2028, 0x202E);
  add(0x2066, 0x206F);
  add(0xFEFF, 0xFEFF);
  for (unsigned byte = 0x80; byte <= 0x9F; ++byte) {  // no UTF-8; a terminal of 8 bits takes them for the second set
    all.emplace_back(1, static_cast<char>(byte));
  }
  return all;
}

const std::vector<std::string> acting = acting_characters();

/// How often each of them is in a text. A byte within a longer character is none.
std::map<std::string, int> acting_in(std::string_view text) {
  std::map<std::string, int> found;
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::string character{text.substr(0, length)};
    if (std::find(acting.begin(), acting.end(), character) != acting.end()) {
      ++found[character];
    }
    text.remove_prefix(std::min(length, text.size()));
  }
  return found;
}

/// A message that has `character` wherever a stranger can write something.
Message with(const std::string& character) {
  const std::string text = "a" + character + "sistem/cpu 12.5 %";
  return {.topic = "t" + text,
          .payload = text,
          .properties = {{0x03, 0, text}, {0x08, 0, text}, {0x09, 0, text}, {0x26, 0, text, text}}};
}

struct Mode {
  std::string name;
  std::function<std::string(Message)> print;
};

Mode in_format(std::string name, Format format) {
  format.spell_out_controls();
  return {std::move(name), [format = std::move(format)](const Message& message) {
            std::string out;
            (void)format.append(message, {}, out);
            return out;
          }};
}

std::string joined_lines(const std::vector<std::string>& lines) { return fmt::format("{}\n", fmt::join(lines, "\n")); }

/// All in which messages are one line, or a picture of ours.
std::vector<Mode> modes() {
  const Paint paint{Palette::none};
  std::vector<Mode> all{
      {"for a person",
       [paint](const Message& message) {
         TerminalLines lines{paint};
         std::string out;
         lines.append(message, out);
         return out;
       }},
      {"--watch",
       [paint](const Message& message) {
         Watch watch;
         watch.take(message, message.payload);
         return joined_lines(watch.frame({200, 24}, paint, message.arrival));
       }},
      {"--watch in lines",
       [paint](const Message& message) {
         Watch watch;
         watch.take(message, message.payload);
         return watch.changes(paint, message.arrival);
       }},
      {"--graph",
       [paint](Message message) {
         Graph graph{NumberField{"."}};
         message.payload = "1";
         (void)graph.take(message);
         return joined_lines(graph.frame({80, 24}, paint, message.arrival));
       }},
      {"--graph in lines", [paint](const Message& message) { return Graph::line(message, 1, paint); }},
      in_format("payload", Format(Format::Style::payload, End::newline)),
      in_format("--json", Format(Format::Style::json, End::newline)),
      in_format("--csv", Format(Format::Style::csv, End::newline)),
      in_format("--hex", Format(Format::Style::hex_dump, End::newline)),
      in_format("-F fields", Format("%t %p %C %R %D %P %x %{base64}", false, End::newline)),
      in_format("-F %j", Format("%j", false, End::newline)),
      in_format("-F %j --pretty", Format("%j", true, End::newline)),
      in_format("-F -N", Format("%t %p", false, End::nothing)),
  };
  for (const auto& [name, end] : {std::pair{"-v", End::newline}, std::pair{"-v -N", End::nothing}}) {
    all.push_back(in_format(name, Format(Format::Style::verbose, end)));
  }
  // JSON payloads, which cannot hold every character; a message without a form is not printed.
  for (const auto& [name, text] : {std::pair{"-F %J", "%J"}, std::pair{"-F %{json:s}", "%{json:s}|%{json:o}"}}) {
    Mode mode = in_format(name, Format(text, false, End::newline));
    mode.print = [print = mode.print](Message message) {
      message.payload = fmt::format(R"({{"s":"{0}","o":{{"e":"{0}"}}}})", message.payload);
      return print(message);
    };
    all.push_back(std::move(mode));
  }
  return all;
}

TEST(Harmless, NothingThatAMessageBringsActsInAnyMode) {
  for (const Mode& mode : modes()) {
    for (const std::string& character : acting) {
      const std::string out = mode.print(with(character));
      // What is ours is there with an innocent message too: line ends, and tabs between columns.
      const auto ours = out.empty() ? std::map<std::string, int>{} : acting_in(mode.print(with("x")));
      EXPECT_EQ(acting_in(out), ours) << mode.name << ": " << testing::PrintToString(character) << "\n" << shown(out);
    }
  }
}

TEST(Harmless, APayloadAloneKeepsItsLinesAndNothingElse) {
  for (const End end : {End::nothing, End::nul}) {
    const Mode mode = in_format("-N, --null", Format(Format::Style::payload, end));
    for (const std::string& character : acting) {
      auto found = acting_in(mode.print(with(character)));
      EXPECT_EQ(found["\n"], character == "\n" ? 1 : 0);
      EXPECT_EQ(found["\t"], character == "\t" ? 1 : 0);
      found.erase("\n");
      found.erase("\t");
      auto ours = acting_in(mode.print(with("x")));
      EXPECT_EQ(found, ours) << testing::PrintToString(character);
    }
  }
}

TEST(Harmless, NothingThatABrokerSaysActsOnStderr) {
  const std::map<std::string, void (*)(const Console&, const std::string&)> ways{
      {"note", [](const Console& console, const std::string& words) { console.note(words); }},
      {"complaint", [](const Console& console, const std::string& words) { console.complain(words); }},
      {"debug line", [](const Console& console, const std::string& words) { console.debug(words); }},
      {"status", [](const Console& console, const std::string& words) { console.status(words); }},
  };
  for (const auto& way : ways) {
    const auto said = [&way](const std::string& character) {
      test::Pipe pipe;
      const Console console{"sub", true, pipe.writer()};
      way.second(console, "the broker has refused it: \"a" + character + "sub: all is well\"");
      pipe.close_writer();
      return pipe.read_to_end();
    };
    const auto ours = acting_in(said("x"));
    for (const std::string& character : acting) {
      EXPECT_EQ(acting_in(said(character)), ours) << way.first << ": " << testing::PrintToString(character);
    }
  }
}

}  // namespace
}  // namespace sistem
