#include "tests/support/capture.hpp"

#include <sstream>
#include <stdexcept>

namespace sistem::test {

std::vector<std::string> lines_of_output(const Start& start, std::chrono::milliseconds limit) {
  const Result result = run(start, "", limit);
  if (result.status != 0) {
    throw std::runtime_error(result.report);
  }
  std::vector<std::string> lines;
  std::istringstream stream{result.out};
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

Capture::Capture(std::filesystem::path file, int port, std::vector<std::string> options)
    : command_{"tshark", "-n", "-r", file, "-d", "tcp.port==" + std::to_string(port) + ",mqtt"} {
  command_.insert(command_.end(), options.begin(), options.end());
}

std::vector<std::vector<std::string>> Capture::rows(const std::string& filter,
                                                    const std::vector<std::string>& fields) const {
  Start start{.command = command_, .environment = {}, .keep_environment = true, .directory = {}};
  start.command.insert(start.command.end(), {"-Y", filter, "-T", "fields"});
  for (const std::string& field : fields) {
    start.command.insert(start.command.end(), {"-e", field});
  }
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : lines_of_output(start)) {
    std::vector<std::string>& row = rows.emplace_back();
    for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
      end = line.find('\t', begin);
      row.push_back(line.substr(begin, end == std::string::npos ? end : end - begin));
    }
  }
  return rows;
}

std::vector<std::string> Capture::values(const std::string& filter, const std::string& field) const {
  std::vector<std::string> result;
  for (std::vector<std::string>& row : rows(filter, {field})) {
    result.push_back(std::move(row.front()));
  }
  return result;
}

std::vector<std::uint64_t> Capture::numbers(const std::string& filter, const std::string& field) const {
  std::vector<std::uint64_t> result;
  for (const std::string& value : values(filter, field)) {
    result.push_back(std::stoull(value));
  }
  return result;
}

}  // namespace sistem::test
