#pragma once

#include <openssl/x509.h>

#include <atomic>
#include <optional>
#include <string>

namespace sistem {

/// A name as people write it: CN=broker.example, O=Example.
[[nodiscard]] std::string one_line(const X509_NAME* name);

/// What happened to one connection, in OpenSSL's callbacks.
class TlsFindings {
 public:
  explicit TlsFindings(bool has_psk) : has_psk_(has_psk) {}

  struct Rejected {
    int code;
    std::string subject;
    std::string hosts;
  };

  /// The broker's certificate is not accepted.
  void reject(const X509_STORE_CTX* chain);
  [[nodiscard]] const std::optional<Rejected>& rejected() const { return rejected_; }

  void alert(int alert) { alert_ = alert; }
  [[nodiscard]] int alert() const { return alert_; }
  /// What that means.
  [[nodiscard]] std::string alert_text() const;

 private:
  bool has_psk_;
  std::optional<Rejected> rejected_;  ///< in the handshake only
  std::atomic<int> alert_{-1};        ///< the broker's fatal one, whenever it came
};

}  // namespace sistem
