#include "pub/source/source.hpp"

#include <unistd.h>

#include <memory>
#include <utility>

#include "common/process/descriptor.hpp"
#include "common/process/error.hpp"
#include "pub/source/input.hpp"
#include "pub/source/lines.hpp"
#include "pub/source/readings.hpp"
#include "pub/source/template.hpp"

namespace sistem {
namespace {

/// Base64 takes four bytes for three, and an escape up to six for one.
constexpr std::size_t longest_json_line = 2 * largest_packet;

std::string read_file(const std::string& path, std::size_t limit, const std::stop_token& stop) {
  const Descriptor file{open_input(path)};
  return read_whole(file.get(), path, limit, stop);
}

/// The whole of stdin. Nothing at all is not taken for an empty message, which would delete a retained one: it is what
/// comes of a command that failed at the pipe's other end.
std::string read_stdin(std::size_t limit, const std::stop_token& stop) {
  std::string bytes = read_whole(STDIN_FILENO, "stdin", limit, stop);
  if (bytes.empty()) {
    throw Error("stdin was empty, so nothing was published; --null-message publishes an empty message");
  }
  return bytes;
}

}  // namespace

Source messages(std::vector<Message> all) {
  return [all = std::move(all)](const Moment&, const std::stop_token&) mutable { return Turn{std::exchange(all, {})}; };
}

Source source_of(const SourceConfig& config, const ConnectionConfig& connection, const Console& console,
                 const std::stop_token& stop) {
  Message pattern{config.topic.value_or(""), "", config.qos, config.retain};
  const bool has_properties = connection.version == ProtocolVersion::v5;
  if (has_properties) {
    pattern.properties = properties_for(PropertyPlace::publish, connection.properties);
  }
  if (config.publishes_readings()) {
    return readings_of(Readings{}, config, std::move(pattern));
  }
  if (config.generates()) {
    return template_source(config, std::move(pattern), Readings{}, stop);
  }
  if (config.replay) {
    const auto file = std::make_shared<Descriptor>(open_input(*config.replay));
    auto replay = replay_of(LineReader{file->get(), *config.replay, "\n", longest_json_line}, config, pattern,
                            has_properties, console);
    return [file, replay = std::move(replay)](const Moment& moment, const std::stop_token& during) {
      return replay(moment, during);
    };
  }
  const auto of_stdin = [&](std::string delimiter, std::size_t limit, ReadLine read) {
    return messages_of(LineReader{STDIN_FILENO, "stdin", std::move(delimiter), limit}, std::move(read),
                       config.on_bad_line, console);
  };
  const std::size_t limit = payload_limit(pattern);
  if (config.lines) {
    return of_stdin(config.delimiter, limit, payload_lines(std::move(pattern)));
  }
  if (config.topic_lines) {
    return of_stdin(config.delimiter, largest_packet, topic_lines(std::move(pattern)));
  }
  if (config.json_lines) {
    return of_stdin("\n", longest_json_line, json_lines(std::move(pattern), has_properties));
  }
  std::vector<Message> all;
  for (const std::string& file : config.files) {
    all.push_back(pattern);
    all.back().payload = read_file(file, limit, stop);
  }
  if (all.empty()) {
    pattern.payload = config.stdin_file ? read_stdin(limit, stop) : config.message.value_or("");
    all.push_back(std::move(pattern));
  }
  return messages(std::move(all));
}

}  // namespace sistem
