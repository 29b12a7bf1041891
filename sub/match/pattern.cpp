#include "sub/match/pattern.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <string>

#include "common/text/words.hpp"

namespace sistem {
namespace {

re2::RE2::Options options() {
  re2::RE2::Options options;
  options.set_log_errors(false);  // we say it ourselves
  return options;
}

}  // namespace

Pattern::Pattern(std::string_view regex) : regex_(std::make_shared<const re2::RE2>(std::string(regex), options())) {
  if (!regex_->ok()) {
    throw Expected(fmt::format("expected a regular expression: {}", shortened(regex_->error())));
  }
}

// RE2 has a string_view of its own, which in Debian 13 is Abseil's and is not made of the standard's.
bool Pattern::matches_in(std::string_view bytes) const {
  return re2::RE2::PartialMatch({bytes.data(), bytes.size()}, *regex_);
}

}  // namespace sistem
