// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/file_transport.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>

#include "tests/support/decompressed.hpp"
#include "tests/support/files.hpp"
#include "tests/support/lines.hpp"

namespace nfstreamd::exporters {
namespace {

using test::FileSizeLimit;
using test::IgnoreSignal;
using test::Lines;
using test::many_lines;
using test::read_file;
using test::ScratchFolder;
using test::send;
using test::sends_all;

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

TEST_CASE(
    "FileTransport: half a line of who wrote before is ended before the next one, octets of messages are not touched") {
    const ScratchFolder folder;
    const std::string path = folder.file("out.csv", "head\nold\nha");
    FileTransport transport(path, true);
    REQUIRE(transport.open("head\n"));
    CHECK(read_file(path) == "head\nold\nha");  // nothing before there is something to say
    REQUIRE(sends_all(transport, Lines{"new"}));
    REQUIRE(sends_all(transport, Lines{"newer"}));
    CHECK(read_file(path) == "head\nold\nha\nnew\nnewer\n");
    CHECK(transport.octets() == 11);

    const std::string messages = folder.file("out.ipfix", "\x01\x02");
    FileTransport binary(messages, true);
    REQUIRE(binary.open(""));
    const std::string message("\0\n\0\x05\n", 5);
    const std::size_t end = message.size();
    std::size_t sent = 0;
    REQUIRE(binary.send(message, {&end, 1}, sent));
    CHECK(read_file(messages) == "\x01\x02" + message);
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

TEST_CASE("FileTransport: a file that was moved away ends there, and a new one begins at the next flush") {
    const ScratchFolder folder;
    const std::string path = folder.path("out.csv"), moved = folder.path("moved.csv");
    FileTransport transport(path, false);
    REQUIRE(transport.open("head\n"));
    REQUIRE(sends_all(transport, Lines{"one"}));
    std::filesystem::rename(path, moved);
    REQUIRE(sends_all(transport, Lines{"two"}));
    REQUIRE(transport.flush());
    REQUIRE(sends_all(transport, Lines{"three"}));
    CHECK(read_file(moved) == "head\none\ntwo\n");
    CHECK(read_file(path) == "head\nthree\n");
}

TEST_CASE("FileTransport: what follows the removal of its file is in the next one, with nothing lost") {
    const ScratchFolder folder;
    for (const std::string& path : {folder.path("out.csv"), folder.path("out.csv.gz"), folder.path("out.csv.zst")}) {
        FileTransport transport(path, false, make_compressor(path));
        REQUIRE(transport.open("head\n"));
        REQUIRE(sends_all(transport, Lines{"one"}));
        REQUIRE(transport.flush());
        std::filesystem::remove(path);
        REQUIRE(sends_all(transport, Lines{"two"}));
        REQUIRE(sends_all(transport, Lines{"three"}));
        transport.close();
        const std::string text =
            path.ends_with("csv") ? read_file(path) : test::decompressed(path, read_file(path)).text;
        CHECK(text == "head\ntwo\nthree\n");
        CHECK(transport.held() == 0);
    }
}

TEST_CASE("FileTransport: a folder that was removed is an error with the path until it is back") {
    const ScratchFolder folder;
    const std::string path = folder.path("sub/out.csv");
    std::filesystem::create_directory(folder.path("sub"));
    FileTransport transport(path, false);
    REQUIRE(transport.open("head\n"));
    REQUIRE(sends_all(transport, Lines{"one"}));
    std::filesystem::remove_all(folder.path("sub"));
    std::size_t sent = 0;
    const auto status = send(transport, Lines{"two"}, sent);
    REQUIRE_FALSE(status);
    CHECK(status.error().where == path);
    CHECK(sent == 0);
    CHECK_FALSE(transport.open("head\n"));
    std::filesystem::create_directory(folder.path("sub"));
    REQUIRE(transport.open("head\n"));
    REQUIRE(sends_all(transport, Lines{"two"}));
    CHECK(read_file(path) == "head\ntwo\n");
}

TEST_CASE("FileTransport: compressed, it can be read up to the last flush, and is complete when closed") {
    const ScratchFolder folder;
    for (const std::string& path : {folder.path("out.csv.gz"), folder.path("out.csv.zst")}) {
        FileTransport transport(path, false, make_compressor(path));
        REQUIRE(transport.open("head\n"));
        REQUIRE(sends_all(transport, Lines{"one", "two"}));
        CHECK(transport.held() == 2);
        CHECK(transport.messages() == 2);
        REQUIRE(transport.flush());
        CHECK(transport.held() == 0);
        const auto at_flush = test::decompressed(path, read_file(path));
        CHECK(at_flush.text == "head\none\ntwo\n");
        CHECK_FALSE(at_flush.complete);

        REQUIRE(sends_all(transport, Lines{"three"}));
        transport.close();
        const auto at_end = test::decompressed(path, read_file(path));
        CHECK(at_end.text == "head\none\ntwo\nthree\n");
        CHECK(at_end.complete);
        CHECK(transport.octets() == read_file(path).size());
    }
}

TEST_CASE("FileTransport: compressed, a full block is out without a flush") {
    const ScratchFolder folder;
    const std::string path = folder.path("out.csv.gz");
    FileTransport transport(path, false, make_compressor(path));
    REQUIRE(transport.open("head\n"));
    const Lines lines = many_lines(6000);
    REQUIRE(lines.bytes.size() > 256 * 1024);
    REQUIRE(sends_all(transport, lines));
    CHECK(transport.held() == 0);
    CHECK(test::decompressed(path, read_file(path)).text == "head\n" + lines.bytes);
}

TEST_CASE("FileTransport: compressed, what finds no room on the disk is held, and goes on behind what is there") {
    const ScratchFolder folder;
    for (const std::string& path : {folder.path("out.csv.gz"), folder.path("out.csv.zst")}) {
        FileTransport transport(path, false, make_compressor(path));
        REQUIRE(transport.open("head\n"));
        REQUIRE(sends_all(transport, Lines{"one"}));
        REQUIRE(transport.flush());
        const auto size = read_file(path).size();
        const Lines more = many_lines(500);
        Status full = ok(), still_full = ok(), no_more = ok();
        std::size_t sent = 0;
        {
            const FileSizeLimit limit(size + 10);
            REQUIRE(sends_all(transport, more));
            full = transport.flush();
            still_full = transport.open("head\n") ? transport.flush() : ok();
            no_more = send(transport, Lines{"too much"}, sent);
        }
        REQUIRE_FALSE(full);
        CHECK(full.error().text() == path + ": cannot write: File too large");
        CHECK_FALSE(still_full);
        CHECK_FALSE(no_more);
        CHECK(sent == 0);
        CHECK(transport.held() == 500);
        CHECK(read_file(path).size() == size);

        REQUIRE(transport.open("head\n"));
        REQUIRE(sends_all(transport, Lines{"last"}));
        transport.close();
        const auto read = test::decompressed(path, read_file(path));
        CHECK(read.text == "head\none\n" + more.bytes + "last\n");
        CHECK(read.complete);
    }
}

TEST_CASE("FileTransport: compressed, what cannot be written by the close is told as lost") {
    const ScratchFolder folder;
    const std::string path = folder.path("out.csv.zst");
    FileTransport transport(path, false, make_compressor(path));
    REQUIRE(transport.open(""));
    {
        const FileSizeLimit limit(3);
        REQUIRE(sends_all(transport, Lines{"one", "two"}));
        transport.close();
    }
    CHECK(transport.held() == 2);
}

}  // namespace
}  // namespace nfstreamd::exporters
