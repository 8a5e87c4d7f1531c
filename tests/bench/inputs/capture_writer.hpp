// SPDX-License-Identifier: Apache-2.0
// A classic pcap file of Ethernet frames, written through one large buffer.
// Owned by the program that makes an input; one thread.
#pragma once
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace nfstreamd::bench {

class CaptureWriter {
public:
    CaptureWriter(const char* path, std::uint32_t snapshot_length) : file_(std::fopen(path, "wb")), buffer_(1u << 22) {
        if (file_ == nullptr) fail(path);
        std::setvbuf(file_, buffer_.data(), _IOFBF, buffer_.size());
        put(std::array<std::uint32_t, 6>{0xa1b2c3d4, 0x00040002, 0, 0, snapshot_length, 1});
    }
    CaptureWriter(const CaptureWriter&) = delete;
    CaptureWriter& operator=(const CaptureWriter&) = delete;
    ~CaptureWriter() {  // a full disk would otherwise make a short input that looks whole
        if (std::fclose(file_) != 0 || failed_) fail("write");
    }

    void add(std::uint64_t microseconds, std::uint32_t captured, std::uint32_t wire, const std::uint8_t* frame) {
        put(std::array<std::uint32_t, 4>{static_cast<std::uint32_t>(microseconds / 1'000'000),
                                         static_cast<std::uint32_t>(microseconds % 1'000'000), captured, wire});
        failed_ |= std::fwrite(frame, captured, 1, file_) != 1;
    }

private:
    template <std::size_t N>
    void put(const std::array<std::uint32_t, N>& words) {
        failed_ |= std::fwrite(words.data(), sizeof words, 1, file_) != 1;
    }

    [[noreturn]] static void fail(const char* what) {
        std::perror(what);
        std::_Exit(1);
    }

    std::FILE* const file_;
    std::vector<char> buffer_;
    bool failed_ = false;
};

}  // namespace nfstreamd::bench
