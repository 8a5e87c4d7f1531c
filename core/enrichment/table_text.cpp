// SPDX-License-Identifier: Apache-2.0
#include "core/enrichment/table_text.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

namespace nfstreamd {
namespace {

constexpr std::size_t kMostProblems = 20;

}  // namespace

Result<std::string> read_text(const std::string& path) {
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

std::uint64_t content_hash(std::string_view text) {
    return std::hash<std::string_view>{}(text);
}

LineProblems::~LineProblems() {
    if (count_ > kMostProblems)
        out_.push_back(
            {ErrorCode::kInvalidArgument, fmt::format("{} more lines are wrong", count_ - kMostProblems), path_});
}

void LineProblems::add(std::size_t line, std::string message) {
    if (count_++ < kMostProblems)
        out_.push_back({ErrorCode::kInvalidArgument, std::move(message), fmt::format("{}:{}", path_, line)});
}

}  // namespace nfstreamd
