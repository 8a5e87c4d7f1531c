// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/file_transport.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace nfstreamd::exporters {
namespace {

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct ScratchFolder : test::TemporaryFolder {
    std::string file(const std::string& name, std::string_view contents) const {
        std::ofstream(path(name), std::ios::binary) << contents;
        return path(name);
    }
};

// Lines as one block of messages.
struct Lines {
    std::string bytes;
    std::vector<std::size_t> ends;

    explicit Lines(std::initializer_list<std::string_view> lines) {
        for (const auto line : lines) add(line);
    }
    void add(std::string_view line) {
        bytes += line;
        bytes += '\n';
        ends.push_back(bytes.size());
    }
    Lines from(std::size_t first) const {
        Lines rest({});
        for (std::size_t i = first; i < ends.size(); ++i) {
            const std::size_t begin = i == 0 ? 0 : ends[i - 1];
            rest.add(std::string_view(bytes).substr(begin, ends[i] - begin - 1));
        }
        return rest;
    }
};

Lines many_lines(std::size_t count) {
    Lines lines({});
    for (std::size_t i = 0; i < count; ++i) lines.add("line " + std::to_string(i) + std::string(i % 90, 'x'));
    return lines;
}

Status send(FileTransport& transport, const Lines& lines, std::size_t& sent) {
    sent = 0;
    return transport.send(lines.bytes, lines.ends, sent);
}

bool sends_all(FileTransport& transport, const Lines& lines) {
    std::size_t sent = 0;
    return send(transport, lines, sent) && sent == lines.ends.size();
}

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

TEST_CASE("FileTransport: the first open empties the file, what is sent can be read at once") {
    const ScratchFolder folder;
    const std::string path = folder.file("out.csv", "old and long contents\n");
    FileTransport transport(path, false);
    REQUIRE(transport.open("head\n"));
    CHECK(read_file(path) == "head\n");
    CHECK(sends_all(transport, Lines{"one", "two"}));
    CHECK(read_file(path) == "head\none\ntwo\n");
    CHECK(transport.octets() == 13);
    CHECK(transport.description() == path);
}

TEST_CASE("FileTransport: opened again it goes on where it was") {
    const ScratchFolder folder;
    const std::string path = folder.path("out.csv");
    FileTransport transport(path, false);
    REQUIRE(transport.open("head\n"));
    REQUIRE(sends_all(transport, Lines{"one"}));
    REQUIRE(transport.open("head\n"));  // after a failure
    REQUIRE(sends_all(transport, Lines{"two"}));
    transport.close();
    REQUIRE(transport.open("head\n"));
    REQUIRE(sends_all(transport, Lines{"three"}));
    CHECK(read_file(path) == "head\none\ntwo\nthree\n");
}

TEST_CASE("FileTransport: appending keeps what is there and writes no second header") {
    const ScratchFolder folder;
    const std::string path = folder.file("out.csv", "head\nold\n");
    FileTransport transport(path, true);
    REQUIRE(transport.open("head\n"));
    REQUIRE(sends_all(transport, Lines{"new"}));
    CHECK(read_file(path) == "head\nold\nnew\n");
}

TEST_CASE("FileTransport: appending to an empty or missing file begins with the header") {
    const ScratchFolder folder;
    for (const std::string& path : {folder.file("empty.csv", ""), folder.path("missing.csv")}) {
        FileTransport transport(path, true);
        REQUIRE(transport.open("head\n"));
        CHECK(read_file(path) == "head\n");
    }
}

TEST_CASE("FileTransport: does not append lines under the header of other columns") {
    const ScratchFolder folder;
    for (const std::string& path :
         {folder.file("other.csv", "id,src_ip\n1,192.0.2.1\n"), folder.file("short.csv", "i")}) {
        const std::string before = read_file(path);
        FileTransport transport(path, true);
        const auto status = transport.open("id,dst_ip\n");
        REQUIRE_FALSE(status);
        CHECK(status.error().code == ErrorCode::kInvalidArgument);
        CHECK(status.error().where == path);
        CHECK_FALSE(transport.open("id,dst_ip\n"));  // nor at the next try
        CHECK(read_file(path) == before);
    }
}

TEST_CASE("FileTransport: an error names the path and the reason") {
    const ScratchFolder folder;
    FileTransport missing(folder.path("no/such/out.csv"), false);
    const auto status = missing.open("");
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kNotFound);
    CHECK(status.error().text() ==
          folder.path("no/such/out.csv") + ": cannot open for writing: No such file or directory");

    FileTransport directory(folder.path(""), false);
    const auto refused = directory.open("");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("FileTransport: a full device is an error each time, with nothing counted as sent") {
    FileTransport transport("/dev/full", false);
    REQUIRE(transport.open(""));
    for (int i = 0; i < 2; ++i) {
        std::size_t sent = 0;
        const auto status = send(transport, Lines{"one", "two"}, sent);
        REQUIRE_FALSE(status);
        CHECK(status.error().code == ErrorCode::kIo);
        CHECK(status.error().text() == "/dev/full: cannot write: No space left on device");
        CHECK(sent == 0);
    }
    CHECK(transport.octets() == 0);
    CHECK_FALSE(transport.open("head\n"));
}

TEST_CASE("FileTransport: a line that the end of the disk cuts off is taken back, and a retry leaves a clean file") {
    const ScratchFolder folder;
    const std::string path = folder.path("out.csv");
    FileTransport transport(path, false);
    REQUIRE(transport.open("head\n"));
    const Lines lines{"first line", "second line", "third line"};
    std::size_t sent = 0, sent_when_full = 0;
    Status status = ok(), still_full = ok();
    std::string after_error;
    {
        const FileSizeLimit limit(5 + 11 + 4);
        status = send(transport, lines, sent);
        after_error = read_file(path);
        still_full = send(transport, lines.from(1), sent_when_full);
    }
    REQUIRE_FALSE(status);
    CHECK(status.error().text() == path + ": cannot write: File too large");
    CHECK(sent == 1);
    CHECK(after_error == "head\nfirst line\n");
    CHECK_FALSE(still_full);
    CHECK(sent_when_full == 0);
    CHECK(transport.octets() == after_error.size());

    CHECK(sends_all(transport, lines.from(1)));
    CHECK(read_file(path) == "head\nfirst line\nsecond line\nthird line\n");
    CHECK(transport.octets() == read_file(path).size());
}

TEST_CASE("FileTransport: a header that finds no room is written by the next open") {
    const ScratchFolder folder;
    const std::string path = folder.path("out.csv");
    FileTransport transport(path, false);
    Status status = ok();
    {
        const FileSizeLimit limit(3);
        status = transport.open("head\n");
    }
    CHECK_FALSE(status);
    CHECK(read_file(path).empty());
    REQUIRE(transport.open("head\n"));
    REQUIRE(sends_all(transport, Lines{"one"}));
    CHECK(read_file(path) == "head\none\n");
}

TEST_CASE("FileTransport: a file that was emptied meanwhile gets no hole after an error") {
    const ScratchFolder folder;
    const std::string path = folder.path("out.csv");
    FileTransport transport(path, false);
    REQUIRE(transport.open(""));
    REQUIRE(sends_all(transport, many_lines(100)));
    REQUIRE(::truncate(path.c_str(), 0) == 0);
    std::size_t sent = 0;
    Status status = ok();
    {
        const FileSizeLimit limit(6);
        status = send(transport, Lines{"one", "two"}, sent);
    }
    CHECK_FALSE(status);
    CHECK(sent == 1);
    CHECK(read_file(path) == "one\n");
}

struct NamedPipe {
    std::string path;
    int reader = -1;
    explicit NamedPipe(std::string p) : path(std::move(p)) { REQUIRE(::mkfifo(path.c_str(), 0600) == 0); }
    ~NamedPipe() { leave(); }
    void attach() { reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }
    void leave() {
        if (reader >= 0) ::close(reader);
        reader = -1;
    }
    std::string take() const {
        std::string text(1 << 20, '\0');
        const auto n = ::read(reader, text.data(), text.size());
        text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return text;
    }
};

TEST_CASE("FileTransport: a named pipe without a reader is an error, not a thread that hangs") {
    const ScratchFolder folder;
    const NamedPipe pipe(folder.path("pipe"));
    FileTransport transport(pipe.path, false);
    const auto status = transport.open("head\n");
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
}

TEST_CASE("FileTransport: a slow reader of a pipe is busy, and gets every octet once") {
    const ScratchFolder folder;
    NamedPipe pipe(folder.path("pipe"));
    pipe.attach();
    FileTransport transport(pipe.path, false);
    REQUIRE(transport.open("head\n"));
    const Lines lines = many_lines(4000);  // more than a pipe holds
    std::string received;
    std::size_t done = 0;
    int busy = 0;
    for (int rounds = 0; done < lines.ends.size() && rounds < 50; ++rounds) {
        std::size_t sent = 0;
        const auto status = send(transport, lines.from(done), sent);
        done += sent;
        if (!status) {
            CHECK(status.error().code == ErrorCode::kBusy);
            ++busy;
        }
        received += pipe.take();
    }
    received += pipe.take();
    CHECK(done == lines.ends.size());
    CHECK(busy > 0);
    CHECK(received == "head\n" + lines.bytes);
    CHECK(transport.octets() == received.size());
}

TEST_CASE("FileTransport: a reader that leaves is an error, and the next one begins with the header") {
    const IgnoreSignal no_signal(SIGPIPE);
    const ScratchFolder folder;
    NamedPipe pipe(folder.path("pipe"));
    pipe.attach();
    FileTransport transport(pipe.path, false);
    REQUIRE(transport.open("head\n"));
    pipe.leave();
    std::size_t sent = 0;
    const auto status = send(transport, Lines{"one"}, sent);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
    CHECK(sent == 0);
    CHECK_FALSE(transport.open("head\n"));

    pipe.attach();
    REQUIRE(transport.open("head\n"));
    REQUIRE(sends_all(transport, Lines{"one"}));
    CHECK(pipe.take() == "head\none\n");
}

struct StandardOutput {  // replaced while it lives
    int saved = ::dup(STDOUT_FILENO);
    explicit StandardOutput(int descriptor) { ::dup2(descriptor, STDOUT_FILENO); }
    ~StandardOutput() {
        ::dup2(saved, STDOUT_FILENO);
        ::close(saved);
    }
};

TEST_CASE("FileTransport: \"-\" is standard output, which stays open") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    bool opened, sent_all, again, still_open;
    FileTransport transport("-", false);
    {
        const StandardOutput output(ends[1]);
        opened = transport.open("head\n").has_value();
        sent_all = sends_all(transport, Lines{"one"});
        transport.close();
        again = transport.open("head\n").has_value() && sends_all(transport, Lines{"two"});
        transport.close();
        still_open = ::fcntl(STDOUT_FILENO, F_GETFD) >= 0;
    }
    char text[100];
    const auto length = ::read(ends[0], text, sizeof text);
    ::close(ends[0]);
    ::close(ends[1]);
    CHECK(opened);
    CHECK(sent_all);
    CHECK(again);
    CHECK(still_open);
    CHECK(std::string(text, static_cast<std::size_t>(length)) == "head\none\ntwo\n");
    CHECK(transport.description() == "standard output");
}

TEST_CASE("FileTransport: standard output whose reader has left cannot be opened again") {
    const IgnoreSignal no_signal(SIGPIPE);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    ::close(ends[0]);
    FileTransport transport("-", false);
    Status sent = ok(), reopened = ok();
    {
        const StandardOutput output(ends[1]);
        std::size_t count = 0;
        if (transport.open("")) sent = send(transport, Lines{"one"}, count);
        reopened = transport.open("");
    }
    ::close(ends[1]);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == ErrorCode::kUnavailable);
    REQUIRE_FALSE(reopened);
    CHECK(reopened.error().code == ErrorCode::kNotFound);
}

TEST_CASE("FileTransport: standard output into a file goes on where the shell is") {
    const ScratchFolder folder;
    const std::string path = folder.file("out.csv", "from the shell\n");
    const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    REQUIRE(file >= 0);
    bool sent_all;
    {
        const StandardOutput output(file);
        FileTransport transport("-", false);
        sent_all = transport.open("head\n") && sends_all(transport, Lines{"one"});
    }
    ::close(file);
    CHECK(sent_all);
    CHECK(read_file(path) == "from the shell\nhead\none\n");
}

TEST_CASE("FileTransport: one blocking pipe that nobody reads does not hold its thread for long") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const Lines lines = many_lines(4000);
    Status status = ok();
    std::size_t sent = 0;
    const auto begin = std::chrono::steady_clock::now();
    FileTransport transport("-", false);
    {
        const StandardOutput output(ends[1]);
        if (transport.open("")) status = send(transport, lines, sent);
    }
    const auto elapsed = std::chrono::steady_clock::now() - begin;
    ::close(ends[0]);
    ::close(ends[1]);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kBusy);
    CHECK(sent > 0);
    CHECK(sent < lines.ends.size());
    CHECK(elapsed < std::chrono::seconds(5));
}

}  // namespace
}  // namespace nfstreamd::exporters
