// SPDX-License-Identifier: Apache-2.0
#include "core/application/ndpi_rules.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>

#include "core/application/ndpi_compat.hpp"

namespace nfstreamd {
namespace {

constexpr std::size_t kMostProblems = 20;

// What is wrong with a line, or nothing.
using Complaint = std::string;

std::optional<unsigned long> number(std::string_view text) {
    unsigned long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_number(std::string_view text, unsigned long most) {
    const auto value = number(text);
    return value && *value <= most;
}

bool is_ipv4(std::string_view text) {
    in_addr address;
    return inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

// Cuts `text` at `separator`; what follows it, or nothing when there is none.
std::optional<std::string_view> split_off(std::string_view& text, char separator) {
    const auto at = text.find(separator);
    if (at == std::string_view::npos) return std::nullopt;
    const auto rest = text.substr(at + 1);
    text = text.substr(0, at);
    return rest;
}

std::string_view unquoted(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
    return text;
}

bool is_port(std::string_view text) {
    constexpr unsigned long kMostPort = 65535;
    return is_number(text, kMostPort);
}

Complaint check_ports(std::string_view ports) {
    constexpr unsigned long kMostPort = 65534;  // to the last one nDPI counts in 16 bits, for ever
    std::string_view low = ports;
    const auto high = split_off(low, '-');
    if (!is_number(low, kMostPort) || (high && (!is_number(*high, kMostPort) || *number(*high) < *number(low))))
        return fmt::format("\"{}\" is neither a port nor a range of ports, 0 to {}", ports, kMostPort);
    return {};
}

Complaint check_address(std::string_view value) {
    constexpr unsigned long kMostBits = 32;
    std::string_view address = value;
    const auto port = split_off(address, ':');
    const auto bits = split_off(address, '/');
    if (!is_ipv4(address) || (bits && !is_number(*bits, kMostBits)) || (port && !is_port(*port)))
        return fmt::format("\"{}\" is no IPv4 address, ADDRESS[/BITS][:PORT]", value);
    return {};
}

Complaint check_host(std::string_view value) {
    const std::string_view name = unquoted(value);
    if (name.empty() || name.find('"') != std::string_view::npos) return fmt::format("{} is no host name", value);
    return {};
}

Complaint check_element(std::string_view element) {
    const auto value = [&](std::string_view kind) { return element.substr(kind.size()); };
    for (const std::string_view kind : {"tcp:", "udp:"})
        if (element.starts_with(kind)) return check_ports(value(kind));
    if (element.starts_with("ip:")) return check_address(value("ip:"));
    if (element.starts_with("host:")) return check_host(value("host:"));
    return fmt::format("\"{}\" begins with none of tcp: udp: ip: host:", element);
}

Complaint check_exception(std::string_view line) {
    std::string_view kind = line;
    const auto rest = split_off(kind, ':');
    if (kind == "trusted_issuer_dn") {
        if (!rest || unquoted(*rest).empty()) return "trusted_issuer_dn: needs a name";
        return {};
    }
    if (kind != "ip_risk_mask" && kind != "host_risk_mask")
        return "is neither RULE,RULE,...@PROTOCOL nor a risk mask or trusted_issuer_dn";
    std::string_view key = rest.value_or("");
    const auto mask = split_off(key, '=');
    if (!mask || !number(*mask)) return fmt::format("{}: needs KEY=MASK, a decimal number", kind);
    if (kind == "ip_risk_mask") return key.find(':') == std::string_view::npos ? check_address(key) : "no port here";
    return check_host(key);
}

// As the library does it.
std::string protocol_name(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (std::strchr("/&^:;'\" ", c) != nullptr) c = '_';
    return out;
}

Complaint check_protocol_line(std::string_view line, RuleFile& file) {
    const auto at = line.rfind('@');
    if (at == std::string_view::npos) return check_exception(line);
    const std::string_view name = line.substr(at + 1);
    if (name.empty()) return "has no name behind @";
    std::string_view rest = line.substr(0, at);
    for (bool more = true; more;) {
        std::string_view element = rest;
        const auto next = split_off(element, ',');
        if (auto complaint = check_element(element); !complaint.empty()) return complaint;
        more = next.has_value();
        rest = next.value_or("");
    }
    std::string spelled = protocol_name(name);
    if (std::find(file.protocols.begin(), file.protocols.end(), spelled) == file.protocols.end())
        file.protocols.push_back(std::move(spelled));
    return {};
}

Complaint check_category_line(std::string_view line, RuleFile&) {
    constexpr std::size_t kLongestLine = 510;  // nDPI's buffer
    if (line.size() > kLongestLine) return "is longer than nDPI reads";
    std::string_view name = line;
    auto category = split_off(name, '\t');
    if (!category || name.empty()) return "must be a name, a tab and the number of a category";
    std::string_view value = *category;
    split_off(value, '\t');
    if (!is_number(value, NDPI_PROTOCOL_NUM_CATEGORIES - 1))
        return fmt::format("\"{}\" is no category, 0 to {}", value, int{NDPI_PROTOCOL_NUM_CATEGORIES} - 1);
    return {};
}

Result<std::string> contents(const std::string& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found)
        return Error{ErrorCode::kNotFound, "there is no such file", path};
    if (!error && status.type() != std::filesystem::file_type::regular)
        return Error{ErrorCode::kInvalidArgument, "is not a regular file", path};
    std::ifstream in(path, std::ios::binary);
    if (!in) return Error{ErrorCode::kPermission, fmt::format("cannot be read: {}", std::strerror(errno)), path};
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (in.bad()) return Error{ErrorCode::kIo, "cannot be read to its end", path};
    return text;
}

template <class CheckLine>
RuleFile read(const std::string& path, CheckLine check_line) {
    RuleFile file;
    const auto text = contents(path);
    if (!text) {
        file.problems.push_back(text.error());
        return file;
    }
    file.content = std::hash<std::string>{}(text.value());
    std::size_t number = 0, more = 0;
    const auto complain = [&](Complaint complaint) {
        if (file.problems.size() == kMostProblems)
            ++more;
        else
            file.problems.push_back(
                {ErrorCode::kInvalidArgument, std::move(complaint), fmt::format("{}:{}", path, number)});
    };
    std::string_view rest = text.value();
    while (!rest.empty()) {
        ++number;
        std::string_view line = rest;
        const auto next = split_off(line, '\n');
        rest = next.value_or("");
        if (line.find('\0') != std::string_view::npos || line.ends_with('\r'))
            complain("holds a NUL or ends in a carriage return, which nDPI takes for text");
        else if (!line.empty() && line.front() != '#')
            if (auto complaint = check_line(line, file); !complaint.empty()) complain(std::move(complaint));
        if (!next) complain("does not end: nDPI needs a newline behind the last line");
    }
    if (more != 0)
        file.problems.push_back({ErrorCode::kInvalidArgument, fmt::format("{} more lines are wrong", more), path});
    return file;
}

}  // namespace

RuleFile read_protocols_file(const std::string& path) {
    return read(path, check_protocol_line);
}

RuleFile read_categories_file(const std::string& path) {
    return read(path, check_category_line);
}

}  // namespace nfstreamd
