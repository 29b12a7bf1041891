#include "pub/source/generated.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "common/mqtt/topic.hpp"
#include "common/process/error.hpp"
#include "common/process/stop.hpp"
#include "common/text/random.hpp"
#include "common/text/words.hpp"
#include "pub/source/input.hpp"

namespace sistem {
namespace {

constexpr std::chrono::milliseconds between_measurements{100};

/// What the host measures of itself, for templates that ask for one by its name, many times a second.
class LiveReadings {
 public:
  LiveReadings(Readings readings, const std::stop_token& stop) : readings_(std::move(readings)) {
    measure();
    (void)sleep_until(deadline_in(between_measurements), stop);
  }

  std::string numbers(const std::string& name) {
    if (Readings::Clock::now() >= measured_ + between_measurements) {
      measure();
    }
    const auto found = numbers_.find(name);
    if (found == numbers_.end()) {
      throw UsageError(fmt::format("%{{{}}}: this host has no such reading", name));
    }
    return found->second;
  }

 private:
  void measure() {
    measured_ = Readings::Clock::now();
    for (const Reading& reading : readings_.measure(measured_)) {
      numbers_[reading.name] = reading.numbers();
    }
  }

  Readings readings_;
  Readings::Clock::time_point measured_;
  std::map<std::string, std::string> numbers_;  ///< what a measurement leaves out stays as it was
};

/// Compiles what the rules have found to be right.
Template compiled(const std::string& text, const TemplateWorld& world) {
  try {
    return Template{text, world};
  } catch (const Expected& expected) {
    throw UsageError(fmt::format("the {}'s template: {}", world.purpose, expected.what()));
  }
}

}  // namespace

TemplateWorld world_of(const SourceConfig& config, const std::string& purpose) {
  TemplateWorld world = this_world();
  world.seed = config.seed ? *config.seed : random_seed();
  world.purpose = purpose;
  world.client = std::max(1U, config.client_number);
  if (purpose != "prefix") {
    world.readings = reading_names();
  }
  if (purpose == "template") {
    world.size = config.size;
  }
  return world;
}

Source generated(Template topic, Template payload, Message pattern) {
  return [topic = std::move(topic), payload = std::move(payload), pattern = std::move(pattern),
          number = std::uint64_t{0}](const Moment& moment, const std::stop_token&) mutable {
    const Occasion occasion{++number, moment.elapsed, moment.wall};
    Message message = pattern;
    message.topic = topic.render(occasion);
    if (const auto fault = fault_of_topic_name(message.topic)) {
      throw UsageError(
          fmt::format("--topic: expected {} at message {}, got \"{}\"", *fault, number, shortened(message.topic)));
    }
    message.payload = payload.render(occasion);
    if (const std::size_t limit = payload_limit(message); message.payload.size() > limit) {
      throw UsageError(
          fmt::format("--template: the payload of message {} is larger than one MQTT message can be: {} "
                      "bytes, at most {} here",
                      number, message.payload.size(), limit));
    }
    return Turn{{std::move(message)}};
  };
}

Source template_source(const SourceConfig& config, Message pattern, Readings readings, const std::stop_token& stop) {
  const auto live = std::make_shared<std::optional<LiveReadings>>();
  const auto world = [&](const char* purpose) {
    TemplateWorld made = world_of(config, purpose);
    made.reading = [live](const std::string& name) { return live->value().numbers(name); };
    return made;
  };
  Template topic = compiled(config.topic.value_or(""), world("topic"));
  Template payload = compiled(config.payload_template.value_or(""), world("template"));
  if (!topic.readings().empty() || !payload.readings().empty()) {
    live->emplace(std::move(readings), stop);
  }
  for (const auto* used : {&topic.readings(), &payload.readings()}) {
    for (const std::string& name : *used) {
      (void)live->value().numbers(name);  // a host without it is told before there is a connection
    }
  }
  return generated(std::move(topic), std::move(payload), std::move(pattern));
}

}  // namespace sistem
