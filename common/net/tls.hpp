#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "common/connection_config.hpp"
#include "common/process/descriptor.hpp"
#include "common/process/stop.hpp"

// OpenSSL's SSL and X509_STORE_CTX.
struct ssl_st;
struct x509_store_ctx_st;

namespace sistem {

struct FreeSsl {
  void operator()(ssl_st* ssl) const;
};
using SslPointer = std::unique_ptr<ssl_st, FreeSsl>;

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
  void reject(const x509_store_ctx_st* chain);
  [[nodiscard]] const std::optional<Rejected>& rejected() const { return rejected_; }

  void alert(int alert) { alert_ = alert; }
  /// The alert by which the broker has ended the connection, at whatever time, for a person. In TLS 1.3 its verdict on
  /// our certificate comes after the handshake [RFC 8446 4.4.2.4].
  [[nodiscard]] std::optional<std::string> alert_text() const;

 private:
  bool has_psk_;
  std::optional<Rejected> rejected_;  ///< in the handshake only
  std::atomic<int> alert_{-1};        ///< the broker's fatal one, whenever it came
};

/// A TLS connection that stands, on a non-blocking socket.
struct Encrypted {
  SslPointer ssl;
  std::string description;                      ///< version, cipher and certificate, for -d
  std::shared_ptr<const TlsFindings> findings;  ///< may outlive `ssl`, which goes its own way
};

/// Makes TLS connections as TlsConfig wants them.
///
/// TLS is ours and not Paho's, which knows the numeric address only, checks it after the handshake, has no words for
/// what goes wrong, and loses some of its options on the way (Paho C++ 1.2.0: CA path, PSK handler).
class TlsClient {
 public:
  /// Reads all files. Throws Error, which names the file or the setting that is of no use.
  explicit TlsClient(const TlsConfig& config);
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient();

  /// Shakes hands with `host`, whose name (or address) the certificate must bear. Throws Unreachable, which says what
  /// was wrong with whose certificate, or what the broker did not like.
  [[nodiscard]] Encrypted handshake(int fd, const std::string& host, Deadline deadline,
                                    const std::stop_token& stop) const;

 private:
  class Context;
  std::unique_ptr<const Context> context_;
};

}  // namespace sistem
