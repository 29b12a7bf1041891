// What must be true of every row of both tools' tables, and of all that is written of them.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "common/options/manual.hpp"
#include "common/options/own_options.hpp"
#include "common/options/settings.hpp"
#include "common/process/descriptor.hpp"
#include "common/process/error.hpp"
#include "pub/pub_config.hpp"
#include "sub/command.hpp"
#include "sub/sub_config.hpp"

namespace sistem {
namespace {

std::string content_of(int fd) {
  std::string bytes;
  std::array<char, 65536> block{};
  ::lseek(fd, 0, SEEK_SET);
  for (ssize_t count = 0; (count = ::read(fd, block.data(), block.size())) > 0;) {
    bytes.append(block.data(), static_cast<std::size_t>(count));
  }
  return bytes;
}

/// One tool, as its user meets it.
class Tool {
 public:
  explicit Tool(std::string tool) : name(std::move(tool)) {}

  const std::string name;

  [[nodiscard]] bool is_pub() const { return name == "pub"; }

  /// What the tool shows where it is asked to.
  [[nodiscard]] std::string shown(const std::vector<std::string>& arguments) const {
    const Descriptor file{::memfd_create("shown", MFD_CLOEXEC)};
    Output output{file.get(), {}};
    const Sources sources{.arguments = arguments, .environment = {}};
    const Console console{name};
    const bool goes_on = is_pub() ? read_pub_config(sources, output, console).has_value()
                                  : read_sub_config(sources, output, console).has_value();
    EXPECT_FALSE(goes_on);
    return content_of(file.get());
  }

  /// The names of all options, those of help and files too, which are in the text of --help.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    std::istringstream lines(shown({"--help"}));
    const std::regex row("^  (-., |    )--([a-z0-9-]+).*");
    std::smatch match;
    for (std::string line; std::getline(lines, line);) {
      if (std::regex_match(line, match, row)) {
        all.push_back(match[2]);
      }
    }
    return all;
  }
};

const std::array<Tool, 2> tools{Tool{"pub"}, Tool{"sub"}};

/// A table and the config that it is bound to.
template <typename Config, std::vector<Option> (*rows)(Config&)>
struct Bound {
  Config config;
  std::vector<Option> table = rows(config);
};
using Pub = Bound<PubConfig, pub_rows>;
using Sub = Bound<SubConfig, sub_rows>;

/// `check` gets the row, and the table that it is in.
template <typename Check>
void for_each_row_of_a_table(Check check) {
  const Pub pub;
  const Sub sub;
  for (const auto* table : {&pub.table, &sub.table}) {
    for (const Option& option : *table) {
      SCOPED_TRACE((table == &pub.table ? "pub --" : "sub --") + option.name);
      check(option, *table);
    }
  }
}

template <typename Check>
void for_each_row(Check check) {
  for_each_row_of_a_table([&](const Option& option, const std::vector<Option>& /*table*/) { check(option); });
}

std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

TEST(Table, EveryRowHasASectionAndAHelpTextOfWholeSentences) {
  for_each_row([](const Option& option) {
    EXPECT_FALSE(option.section.empty());
    EXPECT_TRUE(option.help.ends_with('.')) << option.help;
    EXPECT_EQ(option.help.find("  "), std::string::npos) << option.help;
    EXPECT_EQ(option.help.find('\n'), std::string::npos) << option.help;
  });
}

TEST(Table, EveryRowCanBeSetOrExpandsToOthers) {
  for_each_row([](const Option& option) {
    if (option.expands_to) {
      return;
    }
    EXPECT_TRUE(option.field.set);
    EXPECT_TRUE(option.field.get);
    EXPECT_TRUE(option.field.reset);
  });
}

TEST(Table, ADefaultIsAValueThatItsOwnRowTakes) {
  for_each_row([](const Option& option) {
    if (option.expands_to) {
      return;
    }
    const auto initial = option.field.get();
    for (const std::string& value : initial) {
      EXPECT_NO_THROW(option.field.set(value)) << value;
    }
    EXPECT_EQ(option.field.get(), initial);
    option.field.reset();
    EXPECT_EQ(option.field.get(), initial);
  });
}

TEST(Table, EveryChoiceIsAValueThatItsRowTakesAndGivesBack) {
  for_each_row([](const Option& option) {
    for (const std::string& choice : option.field.choices) {
      EXPECT_NO_THROW(option.field.set(choice)) << choice;
      const auto value = option.field.get();
      EXPECT_TRUE(value.empty() || value == std::vector{choice}) << choice;
    }
  });
}

/// What a tool complains of; empty if it takes these words.
std::string complaint(const Tool& tool, const std::vector<std::string>& arguments,
                      const std::map<std::string, std::string>& variables = {}) {
  const Descriptor file{::memfd_create("shown", MFD_CLOEXEC)};
  Output output{file.get(), {}};
  const Sources sources{.arguments = arguments, .environment = variables};
  const Console console{tool.name, false, file.get()};
  try {
    (void)(tool.is_pub() ? read_pub_config(sources, output, console).has_value()
                         : read_sub_config(sources, output, console).has_value());
    return {};
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(Table, NoValueFillsTheScreenThatComplainsOfIt) {
  const std::string huge(100'000, '*');
  constexpr std::size_t most = 700;  // the names of all readings, or of all properties, and a value that was cut
  int refused = 0;
  for (const Tool& tool : tools) {
    for (const std::string& name : tool.names()) {
      SCOPED_TRACE(tool.name + " --" + name);
      const std::string typed = complaint(tool, {"--" + name + "=" + huge});
      const std::string exported = complaint(tool, {}, {{variable_of(name), huge}});
      EXPECT_LT(typed.size(), most) << typed.substr(0, most);
      EXPECT_LT(exported.size(), most) << exported.substr(0, most);
      refused += typed.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(Table, ACommandGetsNoVariableThatMayHoldASecret) {
  const std::set<std::string> hidden(secret_variables().begin(), secret_variables().end());
  for_each_row([&](const Option& option) {
    if (option.secret && !is_refused(option)) {
      EXPECT_TRUE(hidden.contains(variable_of(option.name)));
    }
  });
  EXPECT_TRUE(hidden.contains("MQTT_PROPERTY"));  // whose row is no secret, but some of its values are
}

TEST(Table, NamesAndLettersAreUnique) {
  const Pub pub;
  const Sub sub;
  for (const auto* table : {&pub.table, &sub.table}) {
    std::set<std::string> names;
    std::set<char> letters;
    for (const Option& option : *table) {
      EXPECT_TRUE(names.insert(option.name).second) << option.name;
      for (const std::string& alias : option.aliases) {
        EXPECT_TRUE(names.insert(alias).second) << alias;
      }
      EXPECT_TRUE(option.letter == 0 || letters.insert(option.letter).second) << option.letter;
    }
  }
}

TEST(Table, ARuleNamesOptionsOfItsTool) {
  for_each_row_of_a_table([](const Option& option, const std::vector<Option>& table) {
    for (const auto* rules : {&option.needs, &option.excludes}) {
      for (const Rule& rule : *rules) {
        EXPECT_FALSE(rule.why.ends_with('.')) << rule.why;
        for (const std::string& other : split(rule.options)) {
          EXPECT_NE(find_option(table, other), nullptr) << other;
          EXPECT_NE(other, option.name);
        }
      }
    }
  });
}

/// What is said where these are given, and nothing else; empty where it is right.
std::string refusal_by_rules(const std::vector<Option>& table, const std::vector<std::string>& given) {
  Settings settings;
  for (const std::string& name : given) {
    settings.homes[name] = {Level::command_line, "--" + name};
  }
  try {
    check_rules(table, settings);
    return {};
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(Table, ARuleHolds) {
  for_each_row_of_a_table([](const Option& option, const std::vector<Option>& table) {
    std::vector<std::string> enough{option.name, "protocol-version"};
    for (const Rule& rule : option.needs) {
      enough.push_back(split(rule.options).front());
    }
    for (const Rule& rule : option.excludes) {
      for (const std::string& other : split(rule.options)) {
        EXPECT_EQ(refusal_by_rules(table, {option.name, other}).find(fmt::format("--{} and --", option.name)), 0U)
            << other;
      }
    }
    for (std::size_t missing = 2; missing < enough.size(); ++missing) {
      auto given = enough;
      given.erase(given.begin() + static_cast<std::ptrdiff_t>(missing));
      const std::string refusal = refusal_by_rules(table, given);
      EXPECT_TRUE(std::regex_search(refusal, std::regex(fmt::format("needs .*--{}", enough[missing])))) << refusal;
    }
  });
}

TEST(Table, WhatEndsTheRunIsNotedAndSaidByHelp) {
  for_each_row_of_a_table([](const Option& option, const std::vector<Option>& table) {
    Settings settings;
    settings.homes[option.name] = {Level::command_line, "--" + option.name};
    try {
      check_rules(table, settings);
    } catch (const UsageError&) {  // it needs others, which do not matter here
    }
    EXPECT_EQ(settings.ends_when_met, option.ends_run == EndsRun::when_met);
    if (option.ends_run != EndsRun::never) {
      EXPECT_TRUE(std::regex_search(std::string(option.help), std::regex("\\b[Ee]nds?\\b"))) << option.help;
    }
    const Option* require_all = find_option(table, "require-all");
    if (require_all != nullptr) {
      EXPECT_EQ(require_all->help.find("--" + option.name + ",") != std::string::npos ||
                    require_all->help.find("--" + option.name + " and") != std::string::npos ||
                    require_all->help.find("and --" + option.name + ";") != std::string::npos,
                option.ends_run == EndsRun::when_met)
          << require_all->help;
    }
  });
}

TEST(Table, TheCodeAsksForOptionsThatThereAre) {
  const Pub pub;
  const Sub sub;
  const std::regex question(
      R"re((?:(?:given|home_of|is_typed|homes\.(?:at|find|contains))\(|homes\[|(?:check_both|refuse)\(settings, )"([a-z0-9-]+)"(?:, "([a-z0-9-]+)")?)re");
  OwnOptions request;
  const auto own = own_rows(request);
  std::size_t questions = 0;
  for (const char* room : {"common/options", "pub", "sub"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(std::filesystem::path(SOURCE_DIR) / room)) {
      std::ifstream file(entry.is_regular_file() ? entry.path() : "/dev/null");
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      for (std::sregex_iterator found(text.begin(), text.end(), question), end; found != end; ++found, ++questions) {
        for (const std::string& name : {(*found)[1].str(), (*found)[2].str()}) {
          EXPECT_TRUE(name.empty() || find_option(pub.table, name) != nullptr ||
                      find_option(sub.table, name) != nullptr || find_option(own, name) != nullptr)
              << entry.path() << " asks for --" << name;
        }
      }
    }
  }
  EXPECT_GT(questions, 30U) << "the pattern finds them";
}

TEST(Table, ALetterMeansTheSameInBothTools) {
  const Pub pub;
  const Sub sub;
  for (const Option& option : pub.table) {
    if (const Option* other = option.letter != 0 ? find_letter(sub.table, option.letter) : nullptr) {
      EXPECT_EQ(option.name, other->name) << option.letter;
    }
    if (const Option* other = find_option(sub.table, option.name)) {
      EXPECT_EQ(option.letter, other->letter) << option.name;
      EXPECT_EQ(option.field.choices, other->field.choices) << option.name;
    }
  }
}

TEST(Table, HelpNamesEveryOptionAndFitsEightyColumns) {
  const Pub pub;
  const Sub sub;
  for (const Tool& tool : tools) {
    const std::string help = tool.shown({"--help"});
    for (const Option& option : tool.is_pub() ? pub.table : sub.table) {
      EXPECT_NE(help.find("--" + option.name), std::string::npos) << tool.name << " --" << option.name;
    }
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(columns(line), 80U) << line;
      EXPECT_FALSE(line.ends_with(' ')) << line;
    }
  }
}

TEST(Table, HelpHasAnEntryForEveryOptionByItsNameLetterAliasAndVariable) {
  const Pub pub;
  const Sub sub;
  for (const Tool& tool : tools) {
    const std::vector<Option>& table = tool.is_pub() ? pub.table : sub.table;
    const auto help = [&](const std::string& topic) { return help_on(topic, table, {.name = tool.name}); };
    EXPECT_EQ(tool.shown({"--help", "qos"}), help("qos"));
    EXPECT_EQ(tool.shown({"--help=-q"}), help("-q"));
    for (const Option& option : table) {
      const std::string entry = help(option.name);
      EXPECT_NE(entry.find("--" + option.name), std::string::npos) << entry;
      std::vector<std::string> topics{"--" + option.name, variable_of(option.name)};
      topics.insert(topics.end(), option.aliases.begin(), option.aliases.end());
      if (option.letter != 0) {
        topics.emplace_back(1, option.letter);
        topics.push_back(std::string("-") + option.letter);
      }
      for (const std::string& topic : topics) {
        EXPECT_EQ(help(topic), entry) << topic;
      }
      std::istringstream lines(entry);
      for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(columns(line), 80U) << line;
      }
    }
  }
}

TEST(Table, TheManPageHasEveryOption) {
  for (const Tool& tool : tools) {
    const std::string page = tool.shown({"--man"});
    for (const std::string& name : tool.names()) {
      const std::string in_roff = std::regex_replace("--" + name, std::regex("-"), "\\-");
      EXPECT_NE(page.find("\\fB" + in_roff + "\\fR"), std::string::npos) << tool.name << " --" << name;
    }
  }
}

TEST(Table, CompletionOffersEveryOptionThatIsNotRefused) {
  const Pub pub;
  const Sub sub;
  for (const Tool& tool : tools) {
    const std::string offers = tool.shown({"--complete", "--", "--"});
    const auto offered = [&](const std::string& name) {
      return offers.find("\n--" + name + "\t") != std::string::npos;
    };
    const std::vector<std::string> names = tool.names();
    ASSERT_GT(names.size(), 40U);
    for (const std::string& name : names) {
      EXPECT_TRUE(offered(name)) << tool.name << " --" << name;
    }
    for (const Option& option : tool.is_pub() ? pub.table : sub.table) {
      EXPECT_EQ(offered(option.name), !is_refused(option)) << tool.name << " --" << option.name;
    }
  }
}

TEST(Table, HasEveryOptionThatTheReadmeNames) {
  std::ifstream readme(SOURCE_DIR "/README.md");
  if (!readme) {
    GTEST_SKIP() << "no README.md here: images are built without it";
  }
  std::set<std::string> known{"at-most", "beside", "container",   "containers", "install", "keep",
                              "lang",    "list",   "native",      "only",       "peers",   "preset",
                              "quick",   "rounds", "with-mqttjs", "workflow"};  // our scripts', CMake's
  for_each_row([&](const Option& option) { known.insert(option.name); });
  for (const Tool& tool : tools) {
    for (const std::string& name : tool.names()) {
      known.insert(name);
    }
  }
  std::stringstream text;
  text << readme.rdbuf();
  const std::string all = text.str();
  const std::regex option("(^|[^a-zA-Z0-9-])--([a-z][a-z0-9-]*)");
  std::size_t count = 0;
  for (std::sregex_iterator at(all.begin(), all.end(), option), end; at != end; ++at, ++count) {
    EXPECT_TRUE(known.contains((*at)[2])) << "--" << (*at)[2];
  }
  EXPECT_GT(count, 5U);
}

}  // namespace
}  // namespace sistem
