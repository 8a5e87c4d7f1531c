// SPDX-License-Identifier: Apache-2.0
// A folder of files that a test looks at, and a disk that is full.
#pragma once
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace nfstreamd::test {

inline std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct ScratchFolder : TemporaryFolder {
    std::string file(const std::string& name, std::string_view contents) const {
        std::ofstream(path(name), std::ios::binary) << contents;
        return path(name);
    }
    std::string read(const std::string& name) const { return read_file(path(name)); }
    std::vector<std::string> names() const {  // sorted
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path("")))
            names.push_back(entry.path().filename().string());
        std::sort(names.begin(), names.end());
        return names;
    }
};

struct IgnoreSignal {
    int number;
    void (*before)(int);
    explicit IgnoreSignal(int n) : number(n), before(std::signal(n, SIG_IGN)) {}
    ~IgnoreSignal() { std::signal(number, before); }
};

struct FileSizeLimit {  // of this process; a disk that is full
    rlimit before{};
    IgnoreSignal signal{SIGXFSZ};
    explicit FileSizeLimit(rlim_t octets) {
        ::getrlimit(RLIMIT_FSIZE, &before);
        rlimit now = before;
        now.rlim_cur = octets;
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before); }
};

}  // namespace nfstreamd::test
