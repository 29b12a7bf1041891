#pragma once

#include <filesystem>
#include <string>

#include "tests/support/temporary.hpp"

namespace sistem::test {

/// A certificate authority of the test's own, made by the openssl command.
class Authority {
 public:
  /// `name` becomes its common name.
  explicit Authority(const std::string& name = "Test authority");

  struct Pair {
    std::filesystem::path certificate;
    std::filesystem::path key;
  };
  /// A certificate for `hosts`, in openssl's words ("DNS:localhost,IP:127.0.0.1"); its key is encrypted where there is
  /// a password.
  [[nodiscard]] Pair issue(const std::string& name, const std::string& hosts,
                           const std::string& key_password = {}) const;

  /// Its own certificate.
  [[nodiscard]] std::filesystem::path certificate() const { return folder_.path() / "ca.pem"; }
  /// A directory with that, hashed.
  [[nodiscard]] std::filesystem::path hashed_directory() const;

 private:
  TemporaryFolder folder_;
};

}  // namespace sistem::test
