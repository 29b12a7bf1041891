#include "sub/pattern.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include "common/option.hpp"

namespace sistem {
namespace {

re2::RE2::Options options() {
  re2::RE2::Options options;
  options.set_log_errors(false);  // we say it ourselves
  return options;
}

}  // namespace

Pattern::Pattern(std::string_view regex) : regex_(std::make_shared<const re2::RE2>(regex, options())) {
  if (!regex_->ok()) {
    throw Expected(fmt::format("expected a regular expression: {}", regex_->error()));
  }
}

bool Pattern::matches_in(std::string_view bytes) const { return re2::RE2::PartialMatch(bytes, *regex_); }

}  // namespace sistem
