// SPDX-License-Identifier: Apache-2.0
#include "config/substitution.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "core/base/utf8.hpp"

namespace nfstreamd::config {
namespace {

constexpr std::size_t kMaxFileValueOctets = 1u << 20;

bool is_variable_name(std::string_view name) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    for (const char c : name) {
        const bool fits = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (!fits) return false;
    }
    return true;
}

// `text` with its variables replaced, or what is wrong with it.
Result<std::string> with_variables(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        if (text.substr(0, 3) == "$${") {
            out += "${";
            text.remove_prefix(3);
            continue;
        }
        if (text.substr(0, 2) != "${") {
            out += text[0];
            text.remove_prefix(1);
            continue;
        }
        const std::size_t end = text.find('}');
        if (end == std::string_view::npos) {
            return Error{ErrorCode::kInvalidArgument, "${ without its }; write $${ for the two characters", ""};
        }
        const std::string name(text.substr(2, end - 2));
        if (!is_variable_name(name)) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("${{{}}} is no name of a variable; write $${{ for the two characters", name), ""};
        }
        const char* value = std::getenv(name.c_str());
        if (!value) {
            return Error{ErrorCode::kNotFound, fmt::format("environment variable {} is not set", name), ""};
        }
        if (!is_valid_utf8(value)) {
            return Error{ErrorCode::kInvalidArgument, fmt::format("environment variable {} is not UTF-8", name), ""};
        }
        out += value;
        text.remove_prefix(end + 1);
    }
    return out;
}

Result<std::string> contents_of(const std::string& path, const std::string& directory) {
    if (path.empty()) return Error{ErrorCode::kInvalidArgument, "!file needs the path of a file", ""};
    const std::string full = (std::filesystem::path(directory) / path).string();
    auto text = read_text_file(full, kMaxFileValueOctets);
    if (!text) return Error{text.error().code, fmt::format("!file {}: {}", full, text.error().message), ""};
    std::string& value = text.value();
    if (!value.empty() && value.back() == '\n') value.pop_back();
    if (!value.empty() && value.back() == '\r') value.pop_back();
    if (!is_valid_utf8(value)) {
        return Error{ErrorCode::kInvalidArgument, fmt::format("!file {}: is not UTF-8", full), ""};
    }
    return text;
}

void substitute_scalar(Node& node, const std::string& key, Problems& problems) {
    auto text = with_variables(node.scalar);
    if (text && node.is_file) text = contents_of(text.value(), node.place.source->directory);
    if (!text) {
        problems.add(node.place, key, text.error().message);
        node.kind = Node::Kind::kBroken;
        return;
    }
    node.scalar = std::move(text.value());
    node.is_file = false;
}

}  // namespace

Result<std::string> read_text_file(const std::string& path, std::size_t limit) {
    const auto failure = [](int number) {
        const auto code = number == ENOENT   ? ErrorCode::kNotFound
                          : number == EACCES ? ErrorCode::kPermission
                                             : ErrorCode::kIo;
        return Error{code, fmt::format("cannot be read: {}", std::strerror(number)), ""};
    };
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return failure(errno);
    std::string text;
    char buffer[65536];
    ssize_t n;
    int error = 0;
    while ((n = ::read(descriptor, buffer, sizeof buffer)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            error = errno;
            break;
        }
        text.append(buffer, static_cast<std::size_t>(n));
        if (text.size() > limit) break;
    }
    ::close(descriptor);
    if (error != 0) return failure(error);
    if (text.size() > limit) {
        return Error{ErrorCode::kInvalidArgument, fmt::format("is larger than {} MiB", limit >> 20), ""};
    }
    return text;
}

void substitute(Node& node, const std::string& key, Problems& problems) {
    if (node.is_scalar()) substitute_scalar(node, key, problems);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        substitute(node.items[i], fmt::format("{}[{}]", key, i), problems);
    }
    for (Member& member : node.members) {
        substitute(member.value, key.empty() ? member.key : key + "." + member.key, problems);
    }
}

std::string escape_variables(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.compare(i, 2, "${") == 0) out += '$';
        out += text[i];
    }
    return out;
}

}  // namespace nfstreamd::config
