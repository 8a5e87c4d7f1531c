// SPDX-License-Identifier: Apache-2.0
// Bytes that live as long as their owner and are freed in one step. One thread
// writes; once written, any thread may read.
#pragma once
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nfstreamd {

class Arena {
public:
    std::string_view copy(std::string_view text) {
        if (text.empty()) return {};
        char* p = static_cast<char*>(allocate(text.size(), 1));
        std::memcpy(p, text.data(), text.size());
        return {p, text.size()};
    }

    template <class T>
    T* make() {  // value-initialised
        static_assert(std::is_trivially_destructible_v<T>);
        return new (allocate(sizeof(T), alignof(T))) T{};
    }

    template <class T>
    T* make(const T& value) {
        static_assert(std::is_trivially_destructible_v<T>);
        return new (allocate(sizeof(T), alignof(T))) T(value);
    }

    template <class T>
    std::span<T> array(std::size_t count) {  // uninitialised
        static_assert(std::is_trivially_destructible_v<T>);
        return {static_cast<T*>(allocate(count * sizeof(T), alignof(T))), count};
    }

    void clear() {  // what was in it is gone; memory of one block stays
        if (blocks_.size() > 1 || capacity_ > kBlock) {
            blocks_.clear();
            capacity_ = 0;
        }
        used_ = 0;
    }

private:
    static constexpr std::size_t kBlock = 16 * 1024;

    void* allocate(std::size_t size, std::size_t alignment) {
        std::size_t offset = (used_ + alignment - 1) & ~(alignment - 1);
        if (blocks_.empty() || offset + size > capacity_) {
            capacity_ = size > kBlock ? size : kBlock;
            blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(capacity_));
            offset = 0;
        }
        used_ = offset + size;
        return blocks_.back().get() + offset;
    }

    std::vector<std::unique_ptr<std::byte[]>> blocks_;
    std::size_t used_ = 0, capacity_ = 0;
};

}  // namespace nfstreamd
