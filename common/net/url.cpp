#include "common/net/url.hpp"

#include <algorithm>

#include "common/text/encoding.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

std::string decoded(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = text[at] == '%' && at + 2 < text.size() ? bytes_of_hex(text.substr(at + 1, 2)) : std::nullopt;
    bytes += byte.value_or(std::string(1, text[at]));
    at += byte ? 2 : 0;
  }
  return bytes;
}

/// Cuts off what stands before the mark at `at`, and the mark; nothing where it is not there.
std::optional<std::string_view> take_before(std::string_view& text, std::size_t at, std::string_view mark) {
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view before = text.substr(0, at);
  text.remove_prefix(at + mark.size());
  return before;
}

void read_place(Url& url, std::string_view place, const std::string& form) {
  std::string_view port;
  if (place.starts_with('[')) {
    const std::size_t end = place.find(']');
    if (end == std::string_view::npos) {
      throw Expected("expected " + form);
    }
    url.host = place.substr(1, end - 1);
    port = place.substr(end + 1);
  } else {
    url.host = place.substr(0, place.find(':'));
    port = place.substr(url.host.size());
  }
  if (url.host.empty() || (!port.empty() && port.front() != ':')) {
    throw Expected("expected " + form);
  }
  if (!port.empty()) {
    url.port = static_cast<std::uint16_t>(whole_number(port.substr(1), 1, 65535, "expected a port from 1 to 65535"));
  }
}

}  // namespace

Url url_of(std::string_view text, const std::string& form) {
  Url url;
  const auto scheme = take_before(text, text.find("://"), "://");
  if (!scheme) {
    throw Expected("expected " + form);
  }
  url.scheme = in_small_letters(*scheme);
  const std::size_t slash = std::min(text.find('/'), text.size());
  url.path = text.substr(std::min(slash + 1, text.size()));
  std::string_view authority = text.substr(0, slash);
  // The last one: a password may hold more of them.
  if (auto user = take_before(authority, authority.rfind('@'), "@")) {
    if (const auto name = take_before(*user, user->find(':'), ":")) {
      url.username = decoded(*name);
      url.password = decoded(*user);
    } else {
      url.username = decoded(*user);
    }
  }
  read_place(url, authority, form);
  return url;
}

}  // namespace sistem
