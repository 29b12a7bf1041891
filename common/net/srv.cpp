#include "common/net/srv.hpp"

#include <arpa/nameser.h>
#include <fmt/format.h>
#include <netdb.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>

#include "common/net/peer.hpp"

namespace sistem {
namespace {

Unreachable unknown(const std::string& name, const std::string& why) {
  return Unreachable(fmt::format("cannot find the SRV record {} ({})", name, why));
}

/// What the name servers answer, by a resolver of our own: that of the process may be in use by another thread.
std::vector<unsigned char> answer_on(const std::string& name) {
  std::vector<unsigned char> answer(NS_MAXMSG);
  struct __res_state state {};
  if (::res_ninit(&state) != 0) {
    throw unknown(name, "no resolver");
  }
  const int size =
      ::res_nsearch(&state, name.c_str(), ns_c_in, ns_t_srv, answer.data(), static_cast<int>(answer.size()));
  ::res_nclose(&state);
  if (size < 0) {
    throw unknown(name, ::hstrerror(state.res_h_errno));
  }
  answer.resize(std::min(answer.size(), static_cast<std::size_t>(size)));
  return answer;
}

}  // namespace

std::string srv_name(const std::string& host, bool tls) {
  return fmt::format("{}._tcp.{}", tls ? "_secure-mqtt" : "_mqtt", host);
}

std::vector<SrvTarget> look_up_srv(const std::string& name) { return targets_in(answer_on(name), name); }

std::vector<SrvTarget> targets_in(const std::vector<unsigned char>& answer, const std::string& name) {
  ns_msg message{};
  if (::ns_initparse(answer.data(), static_cast<int>(answer.size()), &message) != 0) {
    throw unknown(name, "the answer makes no sense");
  }
  std::vector<SrvTarget> targets;
  for (int at = 0; at < ns_msg_count(message, ns_s_an); ++at) {
    ns_rr record{};
    if (::ns_parserr(&message, ns_s_an, at, &record) != 0) {
      throw unknown(name, "the answer makes no sense");
    }
    constexpr int fixed = 6;  // priority, weight and port, before the name
    if (ns_rr_type(record) != ns_t_srv || ns_rr_rdlen(record) <= fixed) {
      continue;  // such as the CNAME that led here
    }
    const unsigned char* data = ns_rr_rdata(record);
    std::array<char, NS_MAXDNAME> host{};
    if (::ns_name_uncompress(ns_msg_base(message), ns_msg_end(message), data + fixed, host.data(), host.size()) < 0) {
      throw unknown(name, "the answer makes no sense");
    }
    const auto number = [&](int offset) { return static_cast<std::uint16_t>(ns_get16(data + offset)); };
    targets.push_back({host.data(), number(4), number(0), number(2)});
  }
  std::erase_if(targets, [](const SrvTarget& target) { return target.host.empty() || target.host == "."; });
  if (targets.empty()) {
    throw unknown(name, "it names no host");
  }
  return targets;
}

std::vector<SrvTarget> in_order_of_trial(std::vector<SrvTarget> targets, std::minstd_rand& random) {
  // RFC 2782 wants those without a weight first, so that they have a small chance and not none.
  std::stable_sort(targets.begin(), targets.end(), [](const SrvTarget& one, const SrvTarget& other) {
    return std::pair(one.priority, one.weight != 0) < std::pair(other.priority, other.weight != 0);
  });
  for (auto next = targets.begin(); next != targets.end(); ++next) {
    const auto alike =
        std::find_if(next, targets.end(), [&](const SrvTarget& one) { return one.priority != next->priority; });
    const unsigned sum =
        std::accumulate(next, alike, 0U, [](unsigned total, const SrvTarget& one) { return total + one.weight; });
    unsigned drawn = std::uniform_int_distribution{0U, sum}(random);
    auto chosen = next;
    while (drawn > chosen->weight) {
      drawn -= chosen->weight;
      ++chosen;
    }
    std::rotate(next, chosen, std::next(chosen));
  }
  return targets;
}

}  // namespace sistem
