// SPDX-License-Identifier: Apache-2.0
#include "config/masking.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nfstreamd::config {
namespace {

bool names_a_secret(std::string_view name) {
    std::string lower;
    for (const char c : name) lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    for (const std::string_view word : {"pass", "pwd", "token", "secret", "key", "auth", "cookie", "credential"})
        if (lower.find(word) != std::string::npos) return true;
    return false;
}

// The authority of a URL, "USER:PASSWORD@HOST:PORT".
std::string masked_authority(std::string_view authority) {
    const auto at = authority.rfind('@'), colon = authority.find(':');
    if (at == std::string_view::npos || colon > at) return std::string(authority);
    return fmt::format("{}:{}{}", authority.substr(0, colon), kMask, authority.substr(at));
}

// "?a=b&token=c", or what else is behind the authority.
std::string masked_rest(std::string_view rest) {
    std::string out;
    while (!rest.empty()) {
        const auto end = std::min(rest.find_first_of("?&", 1), rest.size());
        const std::string_view part = rest.substr(0, end);
        const auto equals = part.find('=');
        const bool is_secret = (part.front() == '?' || part.front() == '&') && equals != std::string_view::npos &&
                               names_a_secret(part.substr(1, equals - 1));
        out += is_secret ? fmt::format("{}{}", part.substr(0, equals + 1), kMask) : std::string(part);
        rest.remove_prefix(end);
    }
    return out;
}

}  // namespace

std::string without_url_secrets(std::string_view text) {
    constexpr std::string_view kScheme = "://", kEnds = " \t\r\n\"'<>";
    std::string out;
    for (auto begin = text.find(kScheme); begin != std::string_view::npos; begin = text.find(kScheme)) {
        out += text.substr(0, begin + kScheme.size());
        text.remove_prefix(begin + kScheme.size());
        const std::string_view url = text.substr(0, std::min(text.find_first_of(kEnds), text.size()));
        const std::string_view authority = url.substr(0, std::min(url.find_first_of("/?#"), url.size()));
        out += masked_authority(authority) + masked_rest(url.substr(authority.size()));
        text.remove_prefix(url.size());
    }
    return out.append(text);
}

std::string without_header_secret(std::string text) {
    const auto colon = text.find(':');
    if (colon == std::string::npos || text.find("://") == colon ||
        !names_a_secret(std::string_view(text).substr(0, colon)))
        return text;
    return fmt::format("{}: {}", text.substr(0, colon), kMask);
}

}  // namespace nfstreamd::config
