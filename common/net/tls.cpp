#include "common/net/tls.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "common/net/peer.hpp"
#include "common/process/descriptor.hpp"
#include "common/process/error.hpp"
#include "common/text/encoding.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
};

bool is_address(const std::string& host) {
  in6_addr any{};
  return ::inet_pton(AF_INET, host.c_str(), &any) == 1 || ::inet_pton(AF_INET6, host.c_str(), &any) == 1;
}

/// OpenSSL's words for its newest complaint, fit for the middle of a sentence.
std::string complaint() {
  const unsigned long error = ::ERR_peek_last_error();
  const char* text = ::ERR_reason_error_string(error);
  return text != nullptr           ? text
         : ERR_SYSTEM_ERROR(error) ? errno_words(ERR_GET_REASON(error))
                                   : "for an unknown reason";
}

/// Where an SSL keeps its findings, which must outlive it.
int findings_index() {
  static const int index =
      ::SSL_get_ex_new_index(0, nullptr, nullptr, nullptr,
                             [](void* /*ssl*/, void* value, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*argl*/,
                                void* /*argp*/) { delete static_cast<std::shared_ptr<TlsFindings>*>(value); });
  return index;
}

TlsFindings& findings_of(const SSL* ssl) {
  return **static_cast<std::shared_ptr<TlsFindings>*>(::SSL_get_ex_data(ssl, findings_index()));
}

std::string rejection_text(const TlsFindings::Rejected& rejected, const std::string& host, bool own_authorities) {
  const std::string whose = fmt::format("the certificate of \"{}\"", rejected.subject);
  switch (rejected.code) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("{} is for another host than \"{}\"{}", whose, host,
                         rejected.hosts.empty() ? "" : fmt::format(" (for {})", rejected.hosts));
    case X509_V_ERR_CERT_HAS_EXPIRED: return fmt::format("{} has expired", whose);
    case X509_V_ERR_CERT_NOT_YET_VALID: return fmt::format("{} is not valid yet: is the clock right?", whose);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return fmt::format("{} is not trusted ({}): {}", whose, ::X509_verify_cert_error_string(rejected.code),
                         own_authorities ? "are --cafile and --capath right?" : "--cafile names whom to trust");
    default: return fmt::format("{}: {}", whose, ::X509_verify_cert_error_string(rejected.code));
  }
}

/// Told before OpenSSL is asked, whose words for it are its own.
void check_readable(const std::string& what, const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) {
    throw Error(fmt::format("cannot read the {} {}: {}", what, path, errno_words(errno)));
  }
}

/// How to make PEM of a file that is in the other format, which begins with an ASN.1 SEQUENCE; empty if it is not.
/// `command`: openssl's for what the file should hold.
std::string how_to_make_pem(const std::string& path, std::string_view command) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  std::array<unsigned char, 7> begin{};  // a header of four bytes, and the version of PKCS #12 [RFC 7292 4]
  constexpr unsigned char sequence = 0x30;
  if (::read(file.get(), begin.data(), begin.size()) < 2 || begin[0] != sequence) {
    return "";
  }
  constexpr std::array<unsigned char, 3> version_3{2, 1, 3};
  const bool is_pkcs12 = std::equal(version_3.begin(), version_3.end(), begin.begin() + 4);
  return is_pkcs12 ? fmt::format("; it is PKCS #12: \"openssl pkcs12 -in {} -nodes -out NEW\" makes PEM of it", path)
                   : fmt::format("; it may be DER: \"openssl {} -inform DER -in {} -out NEW\" makes PEM of it", command,
                                 path);
}

// What OpenSSL tells of a connection ----------------------------------------------------------------------------------

std::string text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(::ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(::ASN1_STRING_length(string))};
}

/// The hosts that a certificate is for: DNS names and addresses.
std::string hosts_of(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&::GENERAL_NAMES_free)> names{
      static_cast<GENERAL_NAMES*>(::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      ::GENERAL_NAMES_free};
  std::string all;
  for (int at = 0; at < sk_GENERAL_NAME_num(names.get()); ++at) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), at);
    std::string host;
    if (name->type == GEN_DNS) {
      host = text_of(name->d.dNSName);
    } else if (name->type == GEN_IPADD) {
      const std::string bytes = text_of(name->d.iPAddress);
      std::array<char, INET6_ADDRSTRLEN> text{};
      ::inet_ntop(bytes.size() == sizeof(in_addr) ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
      host = text.data();
    }
    if (!host.empty()) {
      all += (all.empty() ? "" : ", ") + host;
    }
  }
  return all;
}

/// A name as people write it: CN=broker.example, O=Example.
std::string one_line(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&::BIO_free)> memory{::BIO_new(::BIO_s_mem()), ::BIO_free};
  ::X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "no subject";
}

}  // namespace

void TlsFindings::reject(const X509_STORE_CTX* chain) {
  X509* certificate = ::X509_STORE_CTX_get_current_cert(chain);
  rejected_ = {::X509_STORE_CTX_get_error(chain),
               certificate != nullptr ? one_line(::X509_get_subject_name(certificate)) : "unknown",
               certificate != nullptr ? hosts_of(certificate) : ""};
}

std::optional<std::string> TlsFindings::alert_text() const {
  switch (alert_) {
    case -1: return std::nullopt;
    case SSL_AD_HANDSHAKE_FAILURE:
      return has_psk_ ? "it does not know the PSK identity, or takes no version or cipher of ours"
                      : "there is no version, cipher or certificate that both sides take";
    case SSL_AD_PROTOCOL_VERSION: return "it does not speak this version of TLS";
    case SSL_AD_CERTIFICATE_REQUIRED: return "it wants a client's certificate";
    case SSL_AD_UNKNOWN_CA: return "it does not trust who signed our certificate";
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN: return "it does not take our certificate";
    case SSL_AD_CERTIFICATE_EXPIRED: return "our certificate has expired";
    case SSL_AD_CERTIFICATE_REVOKED: return "our certificate was revoked";
    case SSL_AD_UNKNOWN_PSK_IDENTITY: return "it does not know the PSK identity";
    case SSL_AD_UNRECOGNIZED_NAME: return "it has nothing under this host name";
    case SSL_AD_NO_APPLICATION_PROTOCOL: return "it does not know the ALPN protocol";
    case SSL_AD_ILLEGAL_PARAMETER:  // what OpenSSL says of a wrong key in TLS 1.3, and in 1.2
    case SSL_AD_BAD_RECORD_MAC:
      if (has_psk_) {
        return "its pre-shared key is another";
      }
      [[fallthrough]];
    default: return fmt::format("it sent the alert \"{}\"", ::SSL_alert_desc_string_long(alert_));
  }
}

class TlsClient::Context {
 public:
  explicit Context(const TlsConfig& config) : config_(config), context_(::SSL_CTX_new(::TLS_client_method())) {
    if (!context_) {
      throw Error(fmt::format("OpenSSL does not start: {}", complaint()));
    }
    ::ERR_clear_error();
    ::SSL_CTX_set_ex_data(context_.get(), 0, this);
    // A write that did not fit is repeated later, from wherever its bytes are then, and may have gone in part.
    SSL_CTX_set_mode(context_.get(),
                     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_AUTO_RETRY);
    ::SSL_CTX_set_info_callback(context_.get(), informed);
    set_trust();
    set_certificate();
    set_version();
    set_ciphers();
    set_alpn();
    set_psk();
    set_keylog();
  }

  /// A connection to be made, whose findings are kept.
  [[nodiscard]] SslPointer new_ssl(const std::shared_ptr<TlsFindings>& findings) const {
    SslPointer ssl{::SSL_new(context_.get())};
    if (ssl) {
      ::SSL_set_ex_data(ssl.get(), findings_index(), new std::shared_ptr<TlsFindings>(findings));
      ::SSL_set_verify(ssl.get(), SSL_VERIFY_PEER, verified);
    }
    return ssl;
  }
  [[nodiscard]] const TlsConfig& config() const { return config_; }
  [[nodiscard]] bool has_own_authorities() const { return !config_.ca_file.empty() || !config_.ca_path.empty(); }

 private:
  static const Context& of(const SSL* ssl) {
    return *static_cast<const Context*>(::SSL_CTX_get_ex_data(::SSL_get_SSL_CTX(ssl), 0));
  }

  static int verified(int good, X509_STORE_CTX* chain) {
    if (good == 0) {
      const auto* ssl =
          static_cast<const SSL*>(::X509_STORE_CTX_get_ex_data(chain, ::SSL_get_ex_data_X509_STORE_CTX_idx()));
      findings_of(ssl).reject(chain);
    }
    return good;
  }

  static void informed(const SSL* ssl, int where, int value) {
    constexpr int fatal = SSL3_AL_FATAL;
    if (where == SSL_CB_READ_ALERT && value >> 8 == fatal) {
      findings_of(ssl).alert(value & 0xFF);
    }
  }

  void set_trust() {
    if (!config_.ca_file.empty()) {
      check_readable("CA file", config_.ca_file);
      if (::SSL_CTX_load_verify_file(context_.get(), config_.ca_file.c_str()) != 1) {
        throw Error(fmt::format("the CA file {} holds no certificate in PEM format{}", config_.ca_file,
                                how_to_make_pem(config_.ca_file, "x509")));
      }
    }
    if (!config_.ca_path.empty()) {
      check_readable("CA path", config_.ca_path);
      struct stat status {};
      if (::stat(config_.ca_path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
        throw Error(fmt::format("the CA path {} is not a directory", config_.ca_path));
      }
      ::SSL_CTX_load_verify_dir(context_.get(), config_.ca_path.c_str());
    }
    if (config_.system_store || (!has_own_authorities() && config_.psk.empty())) {
      ::SSL_CTX_set_default_verify_paths(context_.get());
    }
  }

  void set_certificate() {
    if (config_.certificate.empty()) {
      return;
    }
    const std::string& key = config_.key.empty() ? config_.certificate : config_.key;  // one file may hold both
    check_readable("client's certificate", config_.certificate);
    check_readable("client's key", key);
    if (::SSL_CTX_use_certificate_chain_file(context_.get(), config_.certificate.c_str()) != 1) {
      throw Error(has_no_pem()
                      ? fmt::format("the client's certificate {} holds no certificate in PEM format{}",
                                    config_.certificate, how_to_make_pem(config_.certificate, "x509"))
                      : fmt::format("cannot use the client's certificate {}: {}", config_.certificate, complaint()));
    }
    // Without this OpenSSL would ask on the terminal.
    bool asked = false;
    std::pair<const std::string*, bool*> password{&config_.key_password, &asked};
    ::SSL_CTX_set_default_passwd_cb_userdata(context_.get(), &password);
    ::SSL_CTX_set_default_passwd_cb(context_.get(), [](char* buffer, int size, int /*write*/, void* data) {
      const auto& [text, was_asked] = *static_cast<decltype(password)*>(data);
      *was_asked = true;
      if (text->empty() || text->size() > static_cast<std::size_t>(size)) {
        return -1;
      }
      text->copy(buffer, text->size());
      return static_cast<int>(text->size());
    });
    const bool used = ::SSL_CTX_use_PrivateKey_file(context_.get(), key.c_str(), SSL_FILETYPE_PEM) == 1;
    ::SSL_CTX_set_default_passwd_cb_userdata(context_.get(), nullptr);
    ::SSL_CTX_set_default_passwd_cb(context_.get(), nullptr);
    if (!used && asked) {
      throw Error(
          config_.key_password.empty()
              ? fmt::format("the client's key {} is encrypted: --key-pass-file names a file with its password", key)
              : fmt::format("the password does not open the client's key {}", key));
    }
    if (!used && has_no_pem()) {
      throw Error(
          fmt::format("the client's key {} holds no private key in PEM format{}", key, how_to_make_pem(key, "pkey")));
    }
    // One of another kind, as EC beside RSA, is taken, and then neither is used.
    const bool is_anothers = !used && ERR_GET_LIB(::ERR_peek_last_error()) == ERR_LIB_X509 &&
                             ERR_GET_REASON(::ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    if (is_anothers || (used && ::SSL_CTX_check_private_key(context_.get()) != 1)) {
      throw Error(
          fmt::format("the client's key {} is not that of the client's certificate {}", key, config_.certificate));
    }
    if (!used) {
      throw Error(fmt::format("cannot use the client's key {}: {}", key, complaint()));
    }
  }

  /// Whether OpenSSL has found nothing in a file that it could read.
  static bool has_no_pem() { return ERR_GET_REASON(::ERR_peek_last_error()) == ERR_R_PEM_LIB; }

  /// Without one: what the system's configuration of OpenSSL allows, but nothing below 1.2.
  void set_version() {
    const int version = config_.version;
    if (version == 0) {
      if (SSL_CTX_get_min_proto_version(context_.get()) < TLS1_2_VERSION) {
        SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
      }
    } else if (::SSL_CTX_set_min_proto_version(context_.get(), version) != 1 ||
               ::SSL_CTX_set_max_proto_version(context_.get(), version) != 1) {
      throw Error(fmt::format("this OpenSSL does not know the TLS version tlsv1.{}", version - TLS1_VERSION),
                  ExitStatus::usage);
    }
  }

  /// OpenSSL keeps the suites of TLS 1.3 in a list of their own; for the user it is one.
  void set_ciphers() {
    std::string old_list = config_.psk.empty() || !config_.ciphers.empty() ? "" : "PSK";
    std::string new_list;
    for (const std::string& word : pieces(config_.ciphers, ":")) {
      std::string& list = word.starts_with("TLS_") ? new_list : old_list;
      list += (list.empty() ? "" : ":") + word;
    }
    if ((!old_list.empty() && ::SSL_CTX_set_cipher_list(context_.get(), old_list.c_str()) != 1) ||
        (!new_list.empty() && ::SSL_CTX_set_ciphersuites(context_.get(), new_list.c_str()) != 1)) {
      throw Error(fmt::format("OpenSSL knows no cipher in \"{}\"", config_.ciphers), ExitStatus::usage);
    }
  }

  void set_alpn() {
    if (config_.alpn.empty()) {
      return;
    }
    if (config_.alpn.size() > 255) {
      throw Error("the ALPN protocol is longer than 255 bytes", ExitStatus::usage);
    }
    const std::string wire = static_cast<char>(config_.alpn.size()) + config_.alpn;
    ::SSL_CTX_set_alpn_protos(context_.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                              static_cast<unsigned>(wire.size()));
  }

  void set_psk() {
    if (config_.psk.empty()) {
      return;
    }
    psk_ = bytes_of_hex(config_.psk).value_or("");
    if (psk_.size() > PSK_MAX_PSK_LEN) {
      throw Error(fmt::format("the pre-shared key is longer than {} bytes", PSK_MAX_PSK_LEN), ExitStatus::usage);
    }
    ::SSL_CTX_set_psk_client_callback(context_.get(),
                                      [](SSL* ssl, const char* /*hint*/, char* identity, unsigned identity_size,
                                         unsigned char* key, unsigned key_size) -> unsigned {
                                        const Context& context = of(ssl);
                                        const std::string& name = context.config_.psk_identity;
                                        if (name.size() + 1 > identity_size || context.psk_.size() > key_size) {
                                          return 0;
                                        }
                                        std::memcpy(identity, name.c_str(), name.size() + 1);
                                        std::copy(context.psk_.begin(), context.psk_.end(), key);
                                        return static_cast<unsigned>(context.psk_.size());
                                      });
  }

  void set_keylog() {
    if (config_.keylog.empty()) {
      return;
    }
    constexpr mode_t for_us_only = 0600;  // who reads it can read the whole conversation
    keylog_ = Descriptor{::open(config_.keylog.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, for_us_only)};
    if (keylog_.get() < 0) {
      throw Error(fmt::format("cannot write the key log {}: {}", config_.keylog, errno_words(errno)));
    }
    ::SSL_CTX_set_keylog_callback(context_.get(), [](const SSL* ssl, const char* line) {
      const std::string whole = std::string(line) + "\n";  // in one write: others may append to the file too
      (void)!::write(of(ssl).keylog_.get(), whole.data(), whole.size());
    });
  }

  TlsConfig config_;
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  std::string psk_;
  Descriptor keylog_{-1};
};

namespace {

void expect_host(SSL* ssl, std::string host, bool insecure) {
  if (host.ends_with('.')) {
    host.pop_back();  // the root: no certificate has it [RFC 6066 3]
  }
  const bool address = is_address(host);
  if (!address) {
    // The macro for it casts as C does.
    ::SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());
  }
  if (insecure) {
    return;
  }
  X509_VERIFY_PARAM* expected = ::SSL_get0_param(ssl);
  ::X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if ((address ? ::X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str())
               : ::X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size())) != 1) {
    throw Unreachable(fmt::format("TLS: \"{}\" can be in no certificate", host));
  }
}

/// Why SSL_connect() failed: the certificate, the broker's alert, or what OpenSSL says.
std::string failure(const SSL* ssl, int error, int system_error, const std::string& host, const TlsConfig& config) {
  const TlsFindings& findings = findings_of(ssl);
  if (findings.rejected()) {
    return rejection_text(*findings.rejected(), host, !config.ca_file.empty() || !config.ca_path.empty());
  }
  if (const auto alert = findings.alert_text()) {
    return *alert;
  }
  const int why = ERR_GET_REASON(::ERR_peek_error());
  // What a peer that did not understand leaves behind is the one or the other, by chance.
  const bool closed = system_error == 0 || system_error == ECONNRESET || system_error == EPIPE;
  if ((error == SSL_ERROR_SYSCALL && closed) || error == SSL_ERROR_ZERO_RETURN ||
      why == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return "it closed the connection: does it speak TLS on this port?";
  }
  if (error == SSL_ERROR_SYSCALL) {
    return errno_words(system_error);
  }
  switch (why) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST: return "it does not speak TLS (is it port 1883?)";
    case SSL_R_UNSUPPORTED_PROTOCOL: return "it does not speak a version of TLS that we may use";
    case SSL_R_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED:  // of TLS 1.1 and before
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_NO_CIPHERS_AVAILABLE:
      return fmt::format("{} is too old for this OpenSSL, unless with --ciphers DEFAULT@SECLEVEL=0",
                         ::SSL_get_version(ssl));
    default: return complaint();
  }
}

std::string description_of(const SSL* ssl) {
  const std::unique_ptr<X509, decltype(&::X509_free)> certificate{::SSL_get1_peer_certificate(ssl), ::X509_free};
  return fmt::format("{}, {}, {}", ::SSL_get_version(ssl), ::SSL_get_cipher_name(ssl),
                     certificate ? one_line(::X509_get_subject_name(certificate.get())) : "pre-shared key");
}

}  // namespace

void FreeSsl::operator()(ssl_st* ssl) const { ::SSL_free(ssl); }

TlsClient::TlsClient(const TlsConfig& config) : context_(std::make_unique<const Context>(config)) {}

TlsClient::~TlsClient() = default;

Encrypted TlsClient::handshake(int fd, const std::string& host, Deadline deadline, const std::stop_token& stop) const {
  const auto findings = std::make_shared<TlsFindings>(!context_->config().psk.empty());
  Encrypted encrypted{context_->new_ssl(findings), {}, findings};
  SSL* const ssl = encrypted.ssl.get();
  if (ssl == nullptr || ::SSL_set_fd(ssl, fd) != 1) {
    throw Error(fmt::format("OpenSSL makes no connection: {}", complaint()));
  }
  expect_host(ssl, host, context_->config().insecure);
  while (true) {
    ::ERR_clear_error();
    errno = 0;
    const int result = ::SSL_connect(ssl);
    const int system_error = errno;
    if (result == 1) {
      break;
    }
    const int error = ::SSL_get_error(ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      throw Unreachable("TLS: " + failure(ssl, error, system_error, host, context_->config()));
    }
    await(fd, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline, stop,
          "waiting for its part of the TLS handshake: does it speak TLS on this port?");
  }
  // The session tickets that follow are to be acknowledged at once: a broker with Nagle's delay holds its CONNACK back
  // until then, 40 ms.
  const int at_once = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &at_once, sizeof at_once);
  encrypted.description = description_of(ssl);
  return encrypted;
}

}  // namespace sistem
