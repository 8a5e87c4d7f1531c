// SPDX-License-Identifier: Apache-2.0
// Lines to a descriptor, many in one write(2). A reader that has gone is the
// end of the output, not an error. One thread.
#pragma once
#include <string>
#include <string_view>

namespace nfstreamd::ctl {

class LineOutput {
public:
    explicit LineOutput(int descriptor);

    void add(std::string_view line);  // without its newline
    void flush();
    // After each piece of input: at once where somebody may be waiting (a
    // terminal, a pipe), else when there is enough.
    void pause();

    bool ended() const { return ended_; }  // nobody reads, or writing fails
    const std::string& error() const { return error_; }

private:
    int descriptor_;
    bool awaited_;
    bool ended_ = false;
    std::string error_, buffer_;
};

}  // namespace nfstreamd::ctl
