// What a chapter of the manual shows is given to the reader that it is about.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "common/measure/stamp.hpp"
#include "common/mqtt/record.hpp"
#include "common/options/manual.hpp"
#include "common/options/options_file.hpp"
#include "common/text/screen_text.hpp"
#include "common/text/words.hpp"
#include "pub/chapters.txt.hpp"
#include "pub/pub_config.hpp"
#include "pub/source/template.hpp"
#include "sub/chapters.txt.hpp"
#include "sub/show/format.hpp"
#include "sub/sub_config.hpp"
#include "tests/support/temporary.hpp"

namespace sistem {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

/// Reads a command line of pub. Throws what it complains of.
void try_pub(const std::vector<std::string>& words) {
  const Console console{"pub"};
  Output nowhere{-1, {}};
  (void)read_pub_config({.arguments = words, .environment = {}}, nowhere, console);
}

/// The words of a command in a sample, which quotes as a shell does.
std::vector<std::string> words_of(std::string command) {
  std::vector<std::string> words;
  std::istringstream stream(std::move(command));
  for (std::string word; stream >> word;) {
    if (word.starts_with('\'')) {
      while (!word.ends_with('\'')) {
        std::string more;
        stream >> more;
        word += " " + more;
      }
      word = word.substr(1, word.size() - 2);
    }
    if (word != "\\") {
      words.push_back(word);
    }
  }
  return words;
}

/// Gives a sample to its reader; false if this test knows of none.
bool is_read(const std::string& heading, const std::string& sample) {
  if (heading == "JSON lines") {
    for (const std::string& line : lines_of(sample)) {
      EXPECT_NO_THROW((void)read_record(line, {})) << line;
    }
  } else if (heading == "Stamps") {
    Message message{.topic = "t", .payload = sample};
    take_stamp_off(message);
    EXPECT_TRUE(stamp_of(message)) << sample;
    EXPECT_EQ(message.payload, "21.5\n");
  } else if (heading == "Templates") {
    auto words = words_of(sample);
    EXPECT_EQ(words.front(), "pub");
    words.erase(words.begin());
    EXPECT_NO_THROW(try_pub(words)) << sample;
  } else if (heading == "Properties") {
    for (const std::string& line : lines_of(sample)) {
      auto words = split(line);
      words.insert(words.end(), {"-t", "t", "-m", "x"});
      EXPECT_NO_THROW(try_pub(words)) << line;
    }
  } else if (heading == "Options files") {
    const test::TemporaryFolder folder;
    const auto file = folder.write("options", sample);
    EXPECT_NO_THROW(try_pub({"--options-file", file.string(), "-t", "t", "-m", "x"})) << sample;
  } else {
    return false;
  }
  return true;
}

std::vector<Chapter> chapters_of_pub() {
  PubConfig config;
  return chapters(pub_rows(config), {.name = "pub", .drop_in_for = "mosquitto_pub", .chapters = pub_chapters});
}

std::vector<Chapter> chapters_of_sub() {
  SubConfig config;
  return chapters(sub_rows(config), {.name = "sub", .drop_in_for = "mosquitto_sub", .chapters = sub_chapters});
}

/// What --help says of each chapter.
std::vector<std::string> helps() {
  PubConfig pub;
  SubConfig sub;
  std::vector<std::string> all;
  for (const auto& [table, tool] : {std::pair{pub_rows(pub), ToolText{.name = "pub", .chapters = pub_chapters}},
                                    {sub_rows(sub), ToolText{.name = "sub", .chapters = sub_chapters}}}) {
    for (const std::string& subject : help_topics(table, tool)) {
      all.push_back(help_on(subject, table, tool));
    }
  }
  return all;
}

TEST(Chapters, FitEightyColumnsAndLeaveTheTextRoom) {
  const auto all = helps();
  EXPECT_GT(all.size(), 20U);
  for (const std::string& help : all) {
    for (const std::string& line : pieces(help, "\n")) {
      EXPECT_LE(columns_of(line), 80U) << line;
      EXPECT_TRUE(line.empty() || line.find_first_not_of(' ') < 40) << line;
    }
  }
}

TEST(Chapters, TheirSamplesAreReadAsTheyStand) {
  std::size_t samples = 0;
  for (const auto& all : {chapters_of_pub(), chapters_of_sub()}) {
    for (const Chapter& chapter : all) {
      for (const Paragraph& paragraph : chapter.paragraphs) {
        if (paragraph.text.find('\n') != std::string::npos) {
          ++samples;
          EXPECT_TRUE(is_read(chapter.heading, paragraph.text)) << chapter.heading << " has a sample of no known kind";
        }
      }
    }
  }
  EXPECT_EQ(samples, 7U);
}

/// The sequences of a list's term: "%x, %X".
std::vector<std::string> sequences_in(const std::string& term) {
  std::string blanks = term;
  std::replace(blanks.begin(), blanks.end(), ',', ' ');
  return split(blanks);
}

TEST(Chapters, TheOutputFormatTakesEachSequenceThatItsChapterHas) {
  const Chapter output_format = chapters_of_sub().front();
  for (const Paragraph& paragraph : output_format.paragraphs) {
    for (const std::string& sequence : sequences_in(paragraph.term)) {
      if (!sequence.starts_with("--")) {
        EXPECT_NO_THROW((void)Format(sequence == "@X" ? "@H" : sequence, false, End::newline)) << sequence;
      }
    }
  }
}

TEST(Chapters, ATemplateTakesEachPlaceholderThatItsChapterHas) {
  TemplateWorld world = this_world();
  world.size = 100;
  world.variable = [](const std::string&) { return "there"; };
  world.readings = {"cpu", "memori", "beban", "disk", "jaringan", "uptime", "suhu"};
  const Chapter templates = chapters_of_pub().front();
  for (const Paragraph& paragraph : templates.paragraphs) {
    std::size_t end = 0;
    for (std::size_t at = 0; (at = paragraph.term.find("%{", end)) != std::string::npos;) {
      end = paragraph.term.find('}', at) + 1;
      std::string placeholder = paragraph.term.substr(at, end - at);
      if (const std::size_t count = placeholder.find(":N}"); count != std::string::npos) {
        placeholder.replace(count, 3, ":4}");
      }
      EXPECT_EQ(fault_of_template(placeholder, world), std::nullopt) << placeholder;
    }
  }
}

}  // namespace
}  // namespace sistem
