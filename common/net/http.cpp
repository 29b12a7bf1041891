#include "common/net/http.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "common/net/channel.hpp"
#include "common/net/unreachable.hpp"
#include "common/process/error.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

constexpr std::size_t longest_head = 64 << 10;
constexpr std::string_view http = "HTTP/";

/// Why the connection is gone: an alert of TLS may be the answer, which arrives before the end and with the first read
/// [RFC 8446 4.4.2.4].
std::string why_closed(Channel& channel, int error) {
  std::array<char, 256> rest{};
  while (!channel.last_word() && channel.read(rest.data(), rest.size()) > 0) {
  }
  const auto word = channel.last_word();
  return word ? *word : errno_words(error);
}

void send_all(Channel& channel, const std::string& request, const std::string& whom, Deadline deadline,
              const std::stop_token& stop) {
  const std::string doing = fmt::format("sending a request to {}", whom);
  for (std::size_t sent = 0; sent < request.size() || channel.has_unsent();) {
    const iovec rest{const_cast<char*>(request.data()) + sent, request.size() - sent};
    const ssize_t count = sent < request.size() ? channel.write(&rest, 1) : (channel.flush() ? 0 : -1);
    if (count < 0 && errno != EAGAIN) {
      throw Unreachable(fmt::format("{} closed the connection: {}", whom, why_closed(channel, errno)));
    }
    sent += count > 0 ? static_cast<std::size_t>(count) : 0;
    if (count < 0 || channel.has_unsent()) {
      await(channel.fd(), POLLOUT, deadline, stop, doing);
    }
  }
}

/// Byte by byte: what follows the head belongs to somebody else.
std::string read_head(Channel& channel, const std::string& whom, Deadline deadline, const std::stop_token& stop) {
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    char byte = 0;
    const ssize_t count = channel.read(&byte, 1);
    if (count == 1) {
      head += byte;
      if (head.size() == http.size() && head != http) {
        throw Unreachable(fmt::format("{} does not speak HTTP", whom));  // and need not end a head either
      }
      if (head.size() > longest_head) {
        throw Unreachable(fmt::format("{} answers more than HTTP has to say", whom));
      }
    } else if (count < 0 && errno == EAGAIN) {
      await(channel.fd(), POLLIN, deadline, stop, fmt::format("waiting for the answer of {}", whom));
    } else {
      throw Unreachable(count == 0 ? fmt::format("{} closed the connection without an answer", whom)
                                   : fmt::format("{} closed the connection: {}", whom, why_closed(channel, errno)));
    }
  }
  return head;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

HttpAnswer http_exchange(Channel& channel, const std::string& request, const std::string& whom, Deadline deadline,
                         const std::stop_token& stop) {
  send_all(channel, request, whom, deadline, stop);
  const std::string head = read_head(channel, whom, deadline, stop);
  HttpAnswer answer;
  std::string_view rest = head;
  for (bool first = true; !rest.empty(); first = false) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (first) {
      answer.status_line = line;
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
      answer.headers[in_small_letters(line.substr(0, colon))] = trimmed(line.substr(colon + 1));
    }
  }
  const std::size_t blank = answer.status_line.find(' ');
  if (!answer.status_line.starts_with("HTTP/1.") || blank == std::string::npos ||
      std::from_chars(answer.status_line.data() + blank + 1, answer.status_line.data() + answer.status_line.size(),
                      answer.status)
              .ec != std::errc{}) {
    throw Unreachable(fmt::format("{} does not speak HTTP", whom));
  }
  return answer;
}

}  // namespace sistem
