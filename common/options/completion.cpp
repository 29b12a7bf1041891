// Each shell has a script of a few lines, which asks the tool itself what may stand at the cursor. It is the shell that
// chooses from the answer those words that begin like the one that is being typed.
#include "common/options/completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "common/mqtt/property.hpp"
#include "common/options/completion.bash.hpp"
#include "common/options/completion.fish.hpp"
#include "common/options/completion.zsh.hpp"
#include "common/options/manual.hpp"

namespace sistem {
namespace {

using Words = std::vector<std::string>;

/// How far a command line has got before the word that is being typed.
struct Begun {
  const Option* option = nullptr;  ///< the option whose value comes next, if it does
  Words values;                    ///< the words of its value that are there already
  std::set<const Option*> given;
};

Begun read_words(const Words& words, const std::vector<Option>& table) {
  Begun begun;
  for (const std::string& word : words) {
    if (begun.option == nullptr) {
      const OptionWord read = option_word(table, word);
      begun.given.insert(read.options.begin(), read.options.end());
      begun.option = read.wants_more() ? read.options.back() : nullptr;
      continue;
    }
    begun.values.push_back(word);
    const std::size_t wanted = begun.option->words ? begun.option->words(begun.values) : 1;
    if (begun.values.size() >= wanted) {
      begun.option = nullptr;
      begun.values.clear();
    }
  }
  return begun;
}

/// What may stand after the words of -D that are there: a packet, then one of its properties.
Words next_of_property(const Words& before) {
  Words next;
  for (const auto& [packet, properties] : property_words()) {
    if (before.empty()) {
      next.push_back(packet);
    } else if (before == Words{packet}) {
      next = properties;
    }
  }
  return next;
}

std::string answer(std::string_view what, std::string_view beginning, const Words& words = {}) {
  std::string text = fmt::format("{}\n{}\n", what, beginning);
  for (const std::string& word : words) {
    text += word + "\n";
  }
  return text;
}

}  // namespace

const std::vector<std::pair<std::string_view, std::string_view>>& completion_scripts() {
  static const std::vector<std::pair<std::string_view, std::string_view>> scripts{
      {"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
  return scripts;
}

std::optional<std::string> completion_answer(const Words& arguments, const std::vector<Option>& table,
                                             const ToolText& tool, const Variables& environment) {
  if (arguments.size() < 3 || arguments[0] != "--complete" || arguments[1] != "--") {
    return std::nullopt;
  }
  const Words before(arguments.begin() + 2, arguments.end() - 1);
  const std::string& typed = arguments.back();
  const Begun begun = read_words(before, table);

  const auto offer_value = [&](const Option& option, std::string_view beginning) {
    if (option.words) {
      return answer("words", beginning, next_of_property(begun.values));
    }
    if (option.name == "help") {
      Words topics = help_topics(table, tool);
      std::ranges::transform(table, std::back_inserter(topics), &Option::name);
      return answer("words", beginning, topics);
    }
    switch (option.field.completes) {
      case Completes::file: return answer("files", beginning);
      case Completes::directory: return answer("folders", beginning);
      case Completes::profile: return answer("words", beginning, profiles(environment));
      case Completes::nothing: break;
    }
    return answer("words", beginning, option.field.choices);
  };
  if (begun.option != nullptr) {
    return offer_value(*begun.option, "");
  }
  if (const OptionWord read = option_word(table, typed); read.value) {
    return offer_value(*read.options.back(), typed.substr(0, typed.size() - read.value->size()));
  }
  if (!before.empty() && before.back() == "--help" && !typed.starts_with('-')) {
    return offer_value(*find_option(table, "help"), "");
  }
  Words names;
  for (const Option& option : table) {
    if (is_refused(option) || (begun.given.contains(&option) && !option.field.repeatable)) {
      continue;
    }
    const std::string description = first_sentence(option.help);
    if (option.letter != 0) {
      names.push_back(fmt::format("-{}\t{}", option.letter, description));
    }
    names.push_back(fmt::format("--{}\t{}", option.name, description));
  }
  return answer("words", "", names);
}

}  // namespace sistem
