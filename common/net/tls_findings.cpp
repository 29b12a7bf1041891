#include "common/net/tls_findings.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

namespace sistem {
namespace {

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

}  // namespace

std::string one_line(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&::BIO_free)> memory{::BIO_new(::BIO_s_mem()), ::BIO_free};
  ::X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "no subject";
}

void TlsFindings::reject(const X509_STORE_CTX* chain) {
  X509* certificate = ::X509_STORE_CTX_get_current_cert(chain);
  rejected_ = {::X509_STORE_CTX_get_error(chain),
               certificate != nullptr ? one_line(::X509_get_subject_name(certificate)) : "unknown",
               certificate != nullptr ? hosts_of(certificate) : ""};
}

std::string TlsFindings::alert_text() const {
  switch (alert_) {
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

}  // namespace sistem
