#include "common/options/options_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "common/process/descriptor.hpp"
#include "common/process/error.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

namespace fs = std::filesystem;

constexpr const char* extension = ".conf";
constexpr std::string_view blanks = " \t";

std::string content(const fs::path& file, const std::string& home) {
  const Descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  auto text = descriptor.get() < 0 ? std::nullopt : read_to_end(descriptor.get());
  if (!text) {
    throw UsageError(fmt::format("{}: cannot read {}: {}", home, shortened(file.string()), std::strerror(errno)));
  }
  return std::move(*text);
}

std::string_view without_leading_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text;
}

OptionLine option_of(std::string_view line, std::string where) {
  const bool dashed = line.starts_with("-");
  const std::size_t end = std::min(line.find_first_of(dashed && !line.starts_with("--") ? " \t" : " \t="), line.size());
  OptionLine option{std::string(line.substr(0, end)), std::nullopt, std::move(where)};
  line.remove_prefix(end);
  if (dashed && line.starts_with("=")) {
    option.value = line.substr(1);
    return option;
  }
  line = without_leading_blanks(line);
  if (!dashed && line.starts_with("=")) {
    option.value = without_leading_blanks(line.substr(1));
  } else if (!line.empty()) {
    option.value = line;
  }
  return option;
}

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// Whom the lines after a heading are for.
std::string tool_of(std::string_view heading, const std::string& where) {
  if (heading != "[pub]" && heading != "[sub]") {
    throw UsageError(fmt::format("{}: expected [pub] or [sub], got \"{}\"", where, shortened(heading)));
  }
  return std::string(heading.substr(1, 3));
}

/// Makes a folder of the user's own, and those above it.
void make_folder(const fs::path& folder) {
  fs::create_directories(folder.parent_path());
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    throw fs::filesystem_error("cannot make", folder, std::error_code(errno, std::generic_category()));
  }
}

void write(const fs::path& file, std::string_view text) {
  const Descriptor descriptor{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  const int fd = descriptor.get();
  // One that was left there by an interrupted run may have had other rights.
  if (fd < 0 || ::fchmod(fd, S_IRUSR | S_IWUSR) != 0 || write_whole(fd, text) < text.size() || ::fsync(fd) != 0) {
    throw fs::filesystem_error("cannot write", file, std::error_code(errno, std::generic_category()));
  }
}

}  // namespace

std::vector<OptionLine> read_options_file(const fs::path& file, const std::string& tool, const std::string& home) {
  std::vector<OptionLine> options;
  std::string all = content(file, home);
  if (all.starts_with(byte_order_mark)) {  // which editors on Windows write
    all.erase(0, byte_order_mark.size());
  }
  std::string reader = tool;
  std::size_t number = 0;
  for (const std::string& whole : pieces(all, "\n")) {
    ++number;
    std::string_view line = without_leading_blanks(whole);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.find_first_not_of(blanks) == std::string_view::npos || line.starts_with('#')) {
      continue;
    }
    std::string where = fmt::format("{}:{}", file.string(), number);
    if (line.find('\0') != std::string_view::npos) {
      throw UsageError(fmt::format("{}: expected text, got a NUL character", where));
    }
    if (line.starts_with('[')) {
      line = line.substr(0, line.find_last_not_of(blanks) + 1);
      reader = tool_of(line, where);
    } else if (reader == tool) {
      options.push_back(option_of(line, std::move(where)));
    }
  }
  return options;
}

std::optional<fs::path> config_folder(const Variables& environment) {
  const auto value_of = [&](const char* name) {
    const auto variable = environment.find(name);
    return variable == environment.end() ? std::string{} : variable->second;
  };
  if (const std::string xdg = value_of("XDG_CONFIG_HOME"); !xdg.empty()) {
    return xdg;
  }
  const std::string home = value_of("HOME");
  return home.empty() ? std::nullopt : std::optional(fs::path(home) / ".config");
}

fs::path profile_file(const std::string& name, const std::string& home, const Variables& environment) {
  if (name.empty() || name.front() == '.' || name.find_first_of("/\n") != std::string::npos) {
    throw UsageError(
        fmt::format("{}: expected a name that can be a file's, without / and not beginning with a dot, got \"{}\"",
                    home, shortened(name)));
  }
  const auto folder = config_folder(environment);
  if (!folder) {
    throw UsageError(fmt::format("{}: there is no folder for profiles: neither XDG_CONFIG_HOME nor HOME is set", home));
  }
  return *folder / "sistem" / (name + extension);
}

std::vector<std::string> profiles(const Variables& environment) {
  std::vector<std::string> names;
  const auto folder = config_folder(environment);
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder ? *folder / "sistem" : fs::path{}, none)) {
    if (entry.path().extension() == extension && entry.is_regular_file(none)) {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

void write_options_file(const fs::path& file, const std::string& text) {
  fs::path unfinished = file;
  unfinished += fmt::format(".{}", ::getpid());
  try {
    make_folder(file.parent_path());
    write(unfinished, text);
    fs::rename(unfinished, file);
  } catch (const fs::filesystem_error& error) {
    ::unlink(unfinished.c_str());
    throw Error(fmt::format("cannot save {}: {}", file.string(), error.code().message()));
  }
}

}  // namespace sistem
