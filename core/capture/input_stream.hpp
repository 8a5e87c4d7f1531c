// SPDX-License-Identifier: Apache-2.0
// The octets of one capture file, pipe or standard input, read into one buffer
// that the file readers parse in place. Owned by one metering thread.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/result.hpp"
#include "core/base/wake_event.hpp"

namespace nfstreamd {

class InputStream {
public:
    // What is still unread when more is asked for must fit: the largest record.
    static constexpr std::size_t kLargestUnread = 262144 + 16;

    explicit InputStream(std::string name) : name_(std::move(name)) {}
    ~InputStream();
    InputStream(const InputStream&) = delete;
    InputStream& operator=(const InputStream&) = delete;

    Status open();  // "-" is standard input; does not wait for the writer of a FIFO

    const std::string& name() const noexcept { return name_; }
    bool is_regular() const noexcept { return regular_; }
    std::uint64_t size() const noexcept { return size_; }  // 0 unless regular
    std::uint64_t position() const noexcept { return read_ - unread().size(); }

    std::span<const std::uint8_t> unread() const noexcept { return {cursor_, end_}; }
    void consume(std::size_t octets) noexcept { cursor_ += octets; }

    enum class Fill {
        kMore,     // unread() has grown
        kWaiting,  // a pipe without data within the wait
        kEnd,
        kError,  // see error_text()
    };
    // Reads once; unread() moves, pointers into it become invalid.
    Fill fill(WakeEvent& wake, std::chrono::milliseconds wait) noexcept;
    Fill fill_blocking() noexcept;  // the same, without limit and wake

    bool at_end() const noexcept { return at_end_; }  // fill() has said kEnd
    std::string error_text() const;

private:
    Fill read_once() noexcept;

    const std::string name_;
    int descriptor_ = -1;
    bool regular_ = false, at_end_ = false;
    int error_ = 0;
    std::uint64_t size_ = 0, read_ = 0;
    std::unique_ptr<std::uint8_t[]> buffer_;
    const std::uint8_t* cursor_ = nullptr;
    const std::uint8_t* end_ = nullptr;
};

}  // namespace nfstreamd
