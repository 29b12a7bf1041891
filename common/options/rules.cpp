#include "common/options/rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/process/error.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

const std::string version = "protocol-version";

/// Without another version being asked for, an option that means MQTT 5 brings it.
void bring_mqtt5(const Option& option, const Option& version_row, Settings& settings) {
  const bool brings = option.mqtt5 == Mqtt5::preferred || option.mqtt5 == Mqtt5::implied;
  if (brings && !settings.given(version)) {
    version_row.field.set("5");
    settings.homes[version] = settings.homes[option.name];
  }
}

void check_mqtt5(const Option& option, const Option& version_row, const Settings& settings) {
  const bool asks = option.mqtt5 == Mqtt5::needed || option.mqtt5 == Mqtt5::implied;
  if (!asks || version_row.field.get() == std::vector<std::string>{"mqttv5"}) {
    return;
  }
  throw UsageError(
      option.mqtt5 == Mqtt5::needed
          ? fmt::format("{} needs MQTT 5: --{} 5", settings.home_of(option.name), version)
          : fmt::format("{} and {}: only MQTT 5 has that", settings.home_of(option.name), settings.home_of(version)));
}

std::string in_words(const std::string& rule, std::string_view why) {
  return why.empty() ? rule : fmt::format("{}: {}", rule, why);
}

void check_excludes(const Option& option, const Settings& settings) {
  for (const Rule& rule : option.excludes) {
    for (const std::string& other : split(rule.options)) {
      const bool is_ignored = rule.outranks && settings.given(other) &&
                              settings.homes.at(other).level < settings.homes.at(option.name).level;
      if (!is_ignored) {
        check_both(settings, option.name, other, rule.why);
      }
    }
  }
}

void check_needs(const Option& option, const Settings& settings) {
  for (const Rule& rule : option.needs) {
    const auto others = split(rule.options);
    if (std::none_of(others.begin(), others.end(), [&](const auto& other) { return settings.given(other); })) {
      throw UsageError(fmt::format("{} needs {}", settings.home_of(option.name), in_words(rule)));
    }
  }
}

}  // namespace

void check_both(const Settings& settings, const std::string& one, const std::string& other, std::string_view why) {
  if (settings.given(one) && settings.given(other)) {
    throw UsageError(fmt::format("{} and {}: {}", settings.home_of(one), settings.home_of(other), why));
  }
}

void refuse(const Settings& settings, const std::string& option, std::string_view what) {
  throw UsageError(fmt::format("{}: {}", settings.home_of(option), what));
}

void refuse(const Settings& settings, const std::string& option, std::string_view expected, std::string_view got) {
  refuse(settings, option, fmt::format("{}, got \"{}\"", expected, shortened(got)));
}

std::string in_words(const Rule& rule) {
  auto names = split(rule.options);
  for (std::string& name : names) {
    name.insert(0, "--");
  }
  return rule.what.empty() ? in_words(one_of(names), rule.why) : in_words(std::string(rule.what), one_of(names));
}

void check_rules(const std::vector<Option>& table, Settings& settings) {
  std::vector<const Option*> given;
  for (const Option& option : table) {
    if (settings.given(option.name)) {
      given.push_back(&option);
      settings.ends_when_met = settings.ends_when_met || option.ends_run == EndsRun::when_met;
    }
  }
  const Option& version_row = *find_option(table, version);
  for (const Option* option : given) {
    bring_mqtt5(*option, version_row, settings);
  }
  for (const Option* option : given) {
    check_excludes(*option, settings);
  }
  for (const Option* option : given) {
    check_needs(*option, settings);
    check_mqtt5(*option, version_row, settings);
  }
}

}  // namespace sistem
