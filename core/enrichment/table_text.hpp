// SPDX-License-Identifier: Apache-2.0
// Reading a table that a person wrote: its text, and what is wrong with its
// lines. Cold path.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace nfstreamd {

// Of a regular file; `where` of an error is the path.
Result<std::string> read_text(const std::string& path);

std::uint64_t content_hash(std::string_view text);

// The first twenty lines that are wrong, and how many more there are.
class LineProblems {
public:
    LineProblems(const std::string& path, std::vector<Error>& out) : path_(path), out_(out) {}
    ~LineProblems();
    LineProblems(const LineProblems&) = delete;
    LineProblems& operator=(const LineProblems&) = delete;

    void add(std::size_t line, std::string message);
    bool none() const { return count_ == 0; }

private:
    const std::string& path_;
    std::vector<Error>& out_;
    std::size_t count_ = 0;
};

}  // namespace nfstreamd
