// SPDX-License-Identifier: Apache-2.0
// A Logger whose lines a test can read.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "core/base/log.hpp"

namespace nfstreamd::test {

class CapturedLog {
public:
    CapturedLog()
        : descriptor_(::memfd_create("log", MFD_CLOEXEC)),
          logger_(LogLevel::kDebug, LogFormat::kJournal, descriptor_) {}
    ~CapturedLog() { ::close(descriptor_); }
    CapturedLog(const CapturedLog&) = delete;
    CapturedLog& operator=(const CapturedLog&) = delete;

    Logger& logger() { return logger_; }

    std::string text() const {
        std::string text(65536, '\0');
        const ssize_t size = ::pread(descriptor_, text.data(), text.size(), 0);
        text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
        return text;
    }
    bool contains(std::string_view part) const { return text().find(part) != std::string::npos; }
    int count(std::string_view part) const {
        int result = 0;
        const std::string all = text();
        for (auto at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) ++result;
        return result;
    }

private:
    const int descriptor_;
    Logger logger_;
};

}  // namespace nfstreamd::test
