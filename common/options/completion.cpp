// Each shell gets a script that knows the whole table and nothing else: only the names of profiles are asked of the
// tool itself. The words that are offered stand in single quotes, so that no shell reads them as anything else.
#include "common/options/completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "common/mqtt/property.hpp"
#include "common/options/chapters.hpp"
#include "common/options/manual.hpp"

namespace sistem {
namespace {

using Words = std::vector<std::string>;

/// The option of several words, which is -D.
bool takes_properties(const Option& option) { return static_cast<bool>(option.words); }

bool is_help(const Option& option) { return option.name == "help"; }

/// What to offer after --help.
Words topics_of(const std::vector<Option>& table, const ToolText& tool) {
  Words topics = help_topics(table, tool);
  for (const Option& option : table) {
    topics.push_back(option.name);
  }
  return topics;
}

/// All names of an option, as they are typed.
Words names_of(const Option& option) {
  Words names{"--" + option.name};
  if (option.letter != 0) {
    names.insert(names.begin(), fmt::format("-{}", option.letter));
  }
  for (const std::string& alias : option.aliases) {
    names.push_back("--" + alias);
  }
  return names;
}

/// The letters of all options with a value, or of all without one.
std::string letters_of(const std::vector<Option>& table, bool with_value) {
  std::string letters;
  for (const Option& option : table) {
    if (option.letter != 0 && (!option.is_flag() && !option.may_omit_value()) == with_value) {
      letters += option.letter;
    }
  }
  return letters;
}

std::string replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const bool is_here = text.substr(at).starts_with(what);
    result += is_here ? by : text.substr(at, 1);
    at += is_here ? what.size() : 1;
  }
  return result;
}

/// A template with each @name@ replaced.
std::string filled(std::string text, const std::vector<std::pair<std::string_view, std::string>>& values) {
  for (const auto& [name, value] : values) {
    text = replaced(text, name, value);
  }
  return text;
}

/// In single quotes, for bash and zsh.
std::string in_quotes(std::string_view text) { return "'" + replaced(text, "'", R"('\'')") + "'"; }

/// In single quotes, for fish, where a backslash means something in them.
std::string in_fish_quotes(std::string_view text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string all_in_quotes(const Words& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + in_quotes(word);
  }
  return text;
}

// bash --------------------------------------------------------------------------------------------------------

/// What to do for the value of an option; empty where nothing is known of it.
std::string bash_action(const Option& option, const std::vector<Option>& table, const ToolText& tool) {
  if (!option.field.choices.empty()) {
    return fmt::format("_{}_offer {}", tool.name, all_in_quotes(option.field.choices));
  }
  if (is_help(option)) {
    return fmt::format("_{}_offer {}", tool.name, all_in_quotes(topics_of(table, tool)));
  }
  if (takes_properties(option)) {
    return fmt::format("_{}_offer_property", tool.name);
  }
  switch (option.completes) {
    // bash itself knows best how file names are quoted.
    case Completes::file: return "compopt -o bashdefault -o default";
    case Completes::directory: return "compopt -o dirnames";
    case Completes::profile: return fmt::format("_{}_offer_profiles \"$1\"", tool.name);
    case Completes::nothing: break;
  }
  return {};
}

constexpr const char* bash_template = R"bash(# bash completion for @tool@; written by: @tool@ --completion bash

# Adds those of the words that begin with what is typed.
_@tool@_offer() {
  local word
  for word; do
    [[ $word != "$typed"* ]] || COMPREPLY+=("$glued$word")
  done
}

# The same for an option's names, if it may be given again or was not given yet.
_@tool@_offer_option() {
  [[ $1 == once && $given == *" $2 "* ]] || _@tool@_offer "${@:3}"
}

_@tool@_offer_profiles() {
  local name
  while IFS= read -r name; do
    [[ $name != "$typed"* ]] || COMPREPLY+=("$glued$(printf %q "$name")")
  done < <("${1/#\~\//$HOME/}" --list-profiles 2>/dev/null)
}

# The words of -D: the packet, then one of its properties.
_@tool@_offer_property() {
  case ${#values[@]}:${values[0]-} in
    0:) _@tool@_offer@packets@ ;;
@properties@  esac
}

# Sets which option a word is, and how many values it wants; nothing for a word that is none.
_@tool@_option_of() {
  local name=$1
  # The last of several letters: -vt.
  if [[ $name =~ ^-[@flags@]+([@letters@])$ ]]; then
    name=-${BASH_REMATCH[1]}
  fi
  option='' wants=0
  case $name in
@options@  esac
}

# Offers values of the option $2 of the command $1.
_@tool@_offer_values() {
  case $2 in
@values@  esac
}

_@tool@_complete() {
  local typed=${COMP_WORDS[COMP_CWORD]} glued='' option='' wants=0 given=' ' at word
  local -a values=()
  COMPREPLY=()
  # What the words before mean. With = among bash's word breaks --name=value is three words.
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=${COMP_WORDS[at]}
    if [[ $word == = && -n $option ]]; then
      wants=$((wants > 0 ? wants : 1))
    elif ((wants > 0)); then
      values+=("$word")
      # A user property has a name of its own, too.
      [[ ${#values[@]} -eq 2 && $word == user-property ]] || wants=$((wants - 1))
    else
      values=()
      _@tool@_option_of "$word"
      given+="$option "
    fi
  done
  if [[ $typed == = && -n $option ]]; then
    typed='' wants=$((wants > 0 ? wants : 1))
  fi
  if ((wants > 0)); then
    _@tool@_offer_values "$1" "$option"
  elif [[ $typed == --*=* ]]; then
    glued=${typed%%=*}= typed=${typed#*=}
    _@tool@_option_of "${glued%=}"
    _@tool@_offer_values "$1" "$option"
  elif [[ $option == help && $typed != -* ]]; then
    _@tool@_offer_values "$1" help
  else
@offers@    return 0
  fi
}

complete -F _@tool@_complete @tool@
)bash";

std::string bash_script(const std::vector<Option>& table, const ToolText& tool) {
  std::string options;
  std::string values;
  std::string offers;
  for (const Option& option : table) {
    const int wants = option.is_flag() || option.may_omit_value() ? 0 : takes_properties(option) ? 3 : 1;
    options += fmt::format("    {}) option={} wants={} ;;\n", fmt::join(names_of(option), " | "), option.name, wants);
    if (const std::string action = bash_action(option, table, tool); !action.empty()) {
      values += fmt::format("    {}) {} ;;\n", option.name, action);
    }
    if (!is_refused(option)) {
      offers +=
          fmt::format("    _{}_offer_option {} {} {}--{}\n", tool.name, option.field.repeatable ? "again" : "once",
                      option.name, option.letter != 0 ? fmt::format("-{} ", option.letter) : "", option.name);
    }
  }
  std::string packets;
  std::string names_of_properties;
  for (const auto& [packet, names] : property_words()) {
    packets += fmt::format(" {}", packet);
    names_of_properties += fmt::format("    1:{}) _{}_offer {} ;;\n", packet, tool.name, fmt::join(names, " "));
  }
  return filled(bash_template, {{"@tool@", tool.name},
                                {"@packets@", packets},
                                {"@properties@", names_of_properties},
                                {"@flags@", letters_of(table, false)},
                                {"@letters@", letters_of(table, true)},
                                {"@options@", options},
                                {"@values@", values},
                                {"@offers@", offers}});
}

// zsh ---------------------------------------------------------------------------------------------------------

/// A description between brackets.
std::string zsh_description(const Option& option) {
  const std::string text = first_sentence(option.help);
  return replaced(replaced(replaced(text, "\\", "\\\\"), "[", "\\["), "]", "\\]");
}

/// A word in the middle of a spec, where a colon ends something.
std::string zsh_message(const Option& option) {
  const std::string value = option.may_omit_value() ? option.value.substr(2, option.value.size() - 3) : option.value;
  return replaced(value, ":", "\\:");
}

std::string zsh_action(const Option& option, const ToolText& tool) {
  if (!option.field.choices.empty()) {
    return fmt::format("({})", fmt::join(option.field.choices, " "));
  }
  if (is_help(option)) {
    return fmt::format("_{}_topics", tool.name);
  }
  switch (option.completes) {
    case Completes::file: return "_files";
    case Completes::directory: return "_files -/";
    case Completes::profile: return fmt::format("_{}_profiles", tool.name);
    case Completes::nothing: break;
  }
  return " ";
}

/// What follows an option's name and description: its values.
std::string zsh_values(const Option& option, const ToolText& tool) {
  if (option.is_flag()) {
    return {};
  }
  if (takes_properties(option)) {
    return fmt::format(":packet:_{0}_packets:property:_{0}_properties:value: ", tool.name);
  }
  return fmt::format("{}{}:{}", option.may_omit_value() ? "::" : ":", zsh_message(option), zsh_action(option, tool));
}

/// The specs of _arguments, one for each name of the option.
Words zsh_specs(const Option& option, const ToolText& tool) {
  Words specs;
  const std::string rest = zsh_values(option, tool);
  const std::string others = option.field.repeatable ? "*" : fmt::format("({})", fmt::join(names_of(option), " "));
  for (const std::string& name : names_of(option)) {
    const bool is_letter = name.size() == 2;
    const bool is_offered = is_letter || (name == "--" + option.name && !is_refused(option));
    // How its value may stand: -q1 and -q 1, --qos=1 and --qos 1, but --wait-for-broker=1 alone.
    const bool glued_only = option.may_omit_value() && !is_help(option);
    const char* form = option.is_flag() || takes_properties(option) ? "" : is_letter ? "+" : glued_only ? "=-" : "=";
    specs.push_back(
        fmt::format("{}{}{}{}[{}]{}", is_offered ? "" : "!", others, name, form, zsh_description(option), rest));
  }
  return specs;
}

constexpr const char* zsh_template = R"zsh(#compdef @tool@
# zsh completion for @tool@; written by: @tool@ --completion zsh

_@tool@_packets() {
  local -a packets=(@packets@)
  _describe packet packets
}

# The properties of the packet that stands before.
_@tool@_properties() {
  local -a names
  case $words[CURRENT-1] in
@properties@  esac
  _describe property names
}

_@tool@_profiles() {
  local -a profiles
  profiles=(${(f)"$(_call_program profiles $words[1] --list-profiles 2>/dev/null)"})
  compadd -a profiles
}

_@tool@_topics() {
  local -a topics=(@topics@)
  compadd -a topics
}

_@tool@() {
  _arguments -s -S@specs@
}

# Autoloaded, this file is the function; sourced, it says what it is for.
if [[ $funcstack[1] == _@tool@ ]]; then
  _@tool@ "$@"
else
  compdef _@tool@ @tool@
fi
)zsh";

std::string zsh_script(const std::vector<Option>& table, const ToolText& tool) {
  std::string specs;
  for (const Option& option : table) {
    for (const std::string& spec : zsh_specs(option, tool)) {
      specs += fmt::format(" \\\n    {}", in_quotes(spec));
    }
  }
  std::string packets;
  std::string names_of_properties;
  for (const auto& [packet, names] : property_words()) {
    packets += fmt::format("{}{}", packets.empty() ? "" : " ", packet);
    names_of_properties += fmt::format("    {}) names=({}) ;;\n", packet, fmt::join(names, " "));
  }
  return filled(zsh_template, {{"@tool@", tool.name},
                               {"@packets@", packets},
                               {"@properties@", names_of_properties},
                               {"@topics@", all_in_quotes(topics_of(table, tool))},
                               {"@specs@", specs}});
}

// fish --------------------------------------------------------------------------------------------------------

/// What is known of an option's value, as options of complete.
std::string fish_value(const Option& option, const ToolText& tool) {
  if (option.is_flag() || option.may_omit_value()) {
    return {};
  }
  if (!option.field.choices.empty()) {
    return fmt::format(" -x -a {}", in_fish_quotes(fmt::format("{}", fmt::join(option.field.choices, " "))));
  }
  if (takes_properties(option)) {
    std::string packets;
    for (const auto& [packet, names] : property_words()) {
      packets += fmt::format("{}{}", packets.empty() ? "" : " ", packet);
    }
    return fmt::format(" -x -a {}", in_fish_quotes(packets));
  }
  switch (option.completes) {
    case Completes::file: return " -r -F";
    case Completes::directory: return " -x -a '(__fish_complete_directories)'";
    case Completes::profile: return fmt::format(" -x -a '(__{}_profiles)'", tool.name);
    case Completes::nothing: break;
  }
  return " -x";
}

constexpr const char* fish_template = R"fish(# fish completion for @tool@; written by: @tool@ --completion fish

function __@tool@_profiles
    set -l words (commandline -opc)
    # As it was typed: ~ is a folder's name to nobody but the shell.
    set -l tool (string replace -r '^~/' "$HOME/" -- $words[1])
    $tool --list-profiles 2>/dev/null
end

# Whether the last word is one of these options, or the last two are one of them and this value of it.
function __@tool@_follows
    set -l words (commandline -opc)
    set -l options (string split , -- $argv[1])
    if set -q argv[2]
        test (count $words) -gt 2; and contains -- $words[-2] $options; and test "$words[-1]" = $argv[2]
    else
        contains -- $words[-1] $options
    end
end

complete -c @tool@ -f
@options@@properties@complete -c @tool@ -l help -f -a @topics@
complete -c @tool@ -n '__@tool@_follows --help' -f -a @topics@
)fish";

std::string fish_script(const std::vector<Option>& table, const ToolText& tool) {
  std::string options;
  std::string names_of_properties;
  for (const Option& option : table) {
    const std::string letter = option.letter != 0 ? fmt::format(" -s {}", option.letter) : "";
    if (!is_refused(option)) {
      options += fmt::format("complete -c {}{} -l {}{} -d {}\n", tool.name, letter, option.name,
                             fish_value(option, tool), in_fish_quotes(first_sentence(option.help)));
    }
    if (takes_properties(option)) {
      for (const auto& [packet, names] : property_words()) {
        names_of_properties += fmt::format("complete -c {0} -n '__{0}_follows {1} {2}' -x -a '{3}'\n", tool.name,
                                           fmt::join(names_of(option), ","), packet, fmt::join(names, " "));
      }
    }
  }
  return filled(fish_template,
                {{"@tool@", tool.name},
                 {"@options@", options},
                 {"@properties@", names_of_properties},
                 {"@topics@", in_fish_quotes(fmt::format("{}", fmt::join(topics_of(table, tool), " ")))}});
}

}  // namespace

const std::vector<std::string>& completion_shells() {
  static const std::vector<std::string> shells{"bash", "zsh", "fish"};
  return shells;
}

std::string completion_script(const std::string& shell, const std::vector<Option>& table, const ToolText& tool) {
  if (shell == "bash") {
    return bash_script(table, tool);
  }
  return shell == "zsh" ? zsh_script(table, tool) : fish_script(table, tool);
}

}  // namespace sistem
