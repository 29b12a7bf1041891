#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace sistem {

/// A regular expression as RE2 has them: it takes time in proportion to what it reads, whatever a stranger sends.
class Pattern {
 public:
  /// Throws Expected, with RE2's reason, for what is none.
  explicit Pattern(std::string_view regex);

  /// Whether it matches somewhere in the bytes, which need not be text.
  [[nodiscard]] bool matches_in(std::string_view bytes) const;

 private:
  std::shared_ptr<const re2::RE2> regex_;
};

}  // namespace sistem
