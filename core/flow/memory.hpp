// SPDX-License-Identifier: Apache-2.0
// Arrays for millions of flows: address space is reserved at once, pages come
// zeroed with the first touch, in huge pages where the system gives them.
#pragma once
#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "core/base/result.hpp"
#include "core/flow/prefault.hpp"

namespace nfstreamd {

Result<void*> reserve_pages(std::size_t octets) noexcept;
void release_pages(void* address, std::size_t octets) noexcept;

// Owner of `count` zeroed objects. Not copied, not resized.
template <class T>
class Region {
    static_assert(std::is_trivially_destructible_v<T>);

public:
    Region() = default;
    Region(Region&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
    Region& operator=(Region&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(count_, other.count_);
        return *this;
    }
    ~Region() {
        if (data_ != nullptr) release_pages(data_, octets());
    }

    Status allocate(std::size_t count) {  // once
        auto pages = reserve_pages(count * sizeof(T));
        if (!pages) return pages.error();
        data_ = static_cast<T*>(pages.value());
        count_ = count;
        return ok();
    }

    void prefault(Prefault& prefault, std::size_t count) {  // the first so many
        if (data_ != nullptr) prefault.take(data_, std::min(count, count_) * sizeof(T));
    }

    T& operator[](std::size_t i) noexcept { return data_[i]; }
    const T& operator[](std::size_t i) const noexcept { return data_[i]; }
    T* data() noexcept { return data_; }
    explicit operator bool() const noexcept { return data_ != nullptr; }
    std::size_t octets() const noexcept { return count_ * sizeof(T); }

private:
    T* data_ = nullptr;
    std::size_t count_ = 0;
};

}  // namespace nfstreamd
