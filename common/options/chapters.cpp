#include "common/options/chapters.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "common/mqtt/property.hpp"
#include "common/process/error.hpp"

namespace sistem {
namespace {

Chapter properties() {
  Chapter chapter{
      "Properties",
      {{"An MQTT 5 packet may carry properties. -D takes the packet, the property and its value, and may be repeated; "
        "without -V it means MQTT 5. In an options file and in a variable they stand the same way, a value with blanks "
        "in quotation marks:"},
       {"-D publish content-type text/plain\n"
        "-D connect user-property floor \"second floor\"\n"}}};
  for (const auto& [packet, names] : property_words()) {
    chapter.paragraphs.push_back({fmt::format("{}.", fmt::join(names, ", ")), packet});
  }
  chapter.paragraphs.push_back(
      {"A user-property is a name and a value, and a packet may carry many of them. A value that the property cannot "
       "have is refused before anything is sent."});
  return chapter;
}

Chapter options_files(const ToolText& tool) {
  return {"Options files",
          {{"An options file holds the command line's own words, one option a line. The dashes may be left out, and "
            "then an equals sign may stand between the name and the value; the value goes to the end of the line, and "
            "no quotation marks are needed around it. Lines that are empty or begin with # say nothing. Lines after "
            "[pub] or [sub] are for that tool alone."},
           {"# the broker on the second floor\n"
            "host = broker.example\n"
            "--username lab\n"
            "-q 1\n"
            "[sub]\n"
            "verbose\n"},
           {fmt::format("A profile is such a file with a name: --profile lab reads lab.conf in the folder "
                        "~/.config/sistem ($XDG_CONFIG_HOME/sistem where that variable is set), --save-profile lab "
                        "writes it from the options that are given then, and --list-profiles tells which there are. "
                        "Without --profile and --options-file, {} reads default.conf in that folder, if it is there.",
                        tool.name)},
           {fmt::format("Called by the name of {}, it reads that tool's own options file instead: {} in ~/.config.",
                        tool.drop_in_for, tool.drop_in_for)},
           {"--show-config shows the value that each option has in the end, and the file and line, the variable or the "
            "option that it comes from."}}};
}

std::string variables(const std::vector<Option>& table) {
  std::string all;
  for (const Option& option : table) {
    if (option.homes != Homes::command_line_only && !is_refused(option)) {
      all += (all.empty() ? "" : ", ") + variable_of(option.name);
    }
  }
  return all + ".";
}

Chapter environment(const std::vector<Option>& table) {
  return {
      "Environment",
      {{"Almost every option has a variable: its long name in capitals, with underscores for the dashes, after MQTT_. "
        "A variable wins over an options file, and the command line over both. A flag is true, yes, on or 1, or false, "
        "no, off or 0. An empty variable is none. The variable of an option that may be repeated holds a value on each "
        "of its lines; a value given on the command line replaces all of them."},
       {"These are the variables: " + variables(table)},
       {"Kubernetes sets MQTT_PORT=tcp://ADDRESS:PORT in every container where there is a service named mqtt. That is "
        "no port, and is ignored with a note. Another variable that begins with MQTT_ has no effect; one that looks "
        "like a slip is named on stderr."},
       {"Where options files are: see there.", "XDG_CONFIG_HOME, HOME"}}};
}

Chapter secrets() {
  return {
      "Secrets",
      {{"Everyone on a machine can read command lines, so a password typed after -P is no secret. There are better "
        "homes for it, and none of them is shown by --show-config or written by --save-profile:"},
       {"A file that holds the password and nothing else; a newline at its end does not count. It is refused if "
        "everyone may read it, unless --allow-readable-secrets is given.",
        "--password-file FILE"},
       {"In a container the secrets of Docker and Kubernetes are files that all users in there may read. Below "
        "/run/secrets they are taken as they are; one that is mounted elsewhere needs mode 0400 (defaultMode), or "
        "--allow-readable-secrets.",
        "/run/secrets"},
       {"The variable, which only the same user can read.", "MQTT_PASSWORD"},
       {"On a terminal, -u NAME typed without a password asks for it, and does not show what is typed.",
        "the question"},
       {"A password that protects the private key of a certificate comes from --key-pass-file, and a pre-shared key "
        "from the variable MQTT_PSK."}}};
}

Chapter exit_status() {
  Chapter chapter{"Exit status", {}};
  for (const auto& [status, meaning] : exit_meanings()) {
    const std::string term = status == 128 ? "128+n" : std::to_string(status);
    const std::string_view rest =
        meaning.starts_with(term + ": ") ? meaning.substr(term.size() + 2) : std::string_view(meaning);
    chapter.paragraphs.push_back({fmt::format("{}.", rest), term});
  }
  return chapter;
}

Chapter differences(const std::vector<Option>& table, const ToolText& tool) {
  const std::string& other = tool.drop_in_for;
  Chapter chapter{
      "Differences",
      {{fmt::format("The options of {} mean the same here, so that what was written for it goes on working. What "
                    "differs:",
                    other)},
       {fmt::format("The table above. {} ends with 1 for most failures, or with a number of its library.", other),
        "exit statuses"},
       {fmt::format("A line on stderr says where {} is connected and what it does, and what is allowed and unwise. "
                    "stdout carries what was asked for and nothing else.",
                    tool.name),
        "notes"},
       {fmt::format("{} without a topic has something to do of its own; {} refuses.", tool.name, other), "no topic"},
       {"A lost connection is regained, with the subscriptions; --no-reconnect ends the run.", "connection"},
       {"What -d says goes to stderr, in other words: each packet, with its ids, flags, reason codes and sizes.", "-d"},
       {"The version itself is spoken, not that one or a newer.", "--tls-version"},
       {"Paho can say 2147483647 at most, 68 years, and that stands for a session without end.", "-x, -c"},
       {"Options that contradict each other, and values with something behind them, are refused where it takes the one "
        "that it reads last. A format's time is that of arrival.",
        "strictness"},
       {"The environment and profiles are homes of options, as options files are.", "homes"}}};
  std::string refused;
  for (const Option& option : table) {
    if (is_refused(option)) {
      refused += (refused.empty() ? "--" : ", --") + option.name;
    }
  }
  if (!refused.empty()) {
    chapter.paragraphs.push_back({fmt::format("{}. Each is known, and says why when it is used.", refused), "refused"});
  }
  chapter.paragraphs.push_back({fmt::format(
      "Called by the name of {0}, through a link or a copy, {1} takes its place: it needs a topic as {0} does, reads "
      "{0}'s options file, asks no questions and keeps its advice to itself.",
      other, tool.name)});
  return chapter;
}

}  // namespace

bool is_refused(const Option& option) { return option.help.starts_with("Refused:"); }

std::vector<Chapter> chapters(const std::vector<Option>& table, const ToolText& tool) {
  std::vector<Chapter> all = tool.chapters == nullptr ? std::vector<Chapter>{} : tool.chapters();
  const bool has_properties =
      std::any_of(table.begin(), table.end(), [](const Option& option) { return option.name == "property"; });
  if (has_properties) {
    all.push_back(properties());
  }
  std::ranges::move(
      std::vector{options_files(tool), environment(table), secrets(), exit_status(), differences(table, tool)},
      std::back_inserter(all));
  return all;
}

}  // namespace sistem
