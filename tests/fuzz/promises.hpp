// SPDX-License-Identifier: Apache-2.0
// What every fuzzer says and uses: a promise that is kept, octets in a block of
// exactly their size, a line of JSON that is whole, an input taken piece by piece.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace nfstreamd::fuzz {

inline void require(bool promise, const char* words) {
    if (promise) return;
    std::fprintf(stderr, "broken promise: %s\n", words);
    std::abort();
}

// Octets in a block of exactly their size, so that AddressSanitizer sees one too far.
class HeapBlock {
public:
    explicit HeapBlock(std::span<const std::uint8_t> octets)
        : size_(octets.size()), block_(std::make_unique<std::uint8_t[]>(octets.size())) {
        if (size_ != 0) std::memcpy(block_.get(), octets.data(), size_);
    }
    std::span<const std::uint8_t> octets() const { return {block_.get(), size_}; }

private:
    std::size_t size_;
    std::unique_ptr<std::uint8_t[]> block_;
};

// Whether quotes are closed, brackets match and nothing in it is a control character or broken UTF-8.
inline bool is_json_object(std::string_view line) {
    std::string open;
    bool in_text = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (static_cast<unsigned char>(c) < 0x20) return false;
        if (in_text) {
            if (c == '\\') ++i;
            if (c == '"') in_text = false;
        } else if (c == '"') {
            in_text = true;
        } else if (c == '{' || c == '[') {
            open += c;
        } else if (c == '}' || c == ']') {
            if (open.empty() || open.back() != (c == '}' ? '{' : '[')) return false;
            open.pop_back();
            if (open.empty()) return i + 1 == line.size();
        }
    }
    return false;
}

// An input from its front to its end; what it has no more of is zero.
class Pieces {
public:
    Pieces(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

    std::uint8_t octet() {
        const auto piece = take(1);
        return piece.empty() ? std::uint8_t{0} : piece[0];
    }
    std::uint16_t number16() {
        const unsigned high = octet();
        return static_cast<std::uint16_t>(high << 8 | octet());
    }
    std::span<const std::uint8_t> take(std::size_t size) {
        const auto piece = rest_.first(std::min(size, rest_.size()));
        rest_ = rest_.subspan(piece.size());
        return piece;
    }
    std::span<const std::uint8_t> behind_its_length() {
        const std::size_t size = number16();
        return take(size);
    }
    std::span<const std::uint8_t> rest() { return take(rest_.size()); }
    bool empty() const { return rest_.empty(); }

private:
    std::span<const std::uint8_t> rest_;
};

inline std::string text_of(std::span<const std::uint8_t> octets) {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

}  // namespace nfstreamd::fuzz
