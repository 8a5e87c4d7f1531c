// SPDX-License-Identifier: Apache-2.0
#include "core/base/log.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <regex>
#include <string>
#include <thread>
#include <vector>

using namespace nfstreamd;
using namespace std::chrono_literals;

namespace {

class LogFile {
public:
    LogFile(LogLevel level, LogFormat format)
        : descriptor_(::memfd_create("log", MFD_CLOEXEC)), logger(level, format, descriptor_) {
        ::fcntl(descriptor_, F_SETFL, O_APPEND);  // such a file's position is not locked among threads
    }
    ~LogFile() { ::close(descriptor_); }
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    std::string text() const {
        std::string text(1 << 20, '\0');
        const ssize_t size = ::pread(descriptor_, text.data(), text.size(), 0);
        text.resize(static_cast<std::size_t>(size));
        return text;
    }

private:
    int descriptor_;

public:
    Logger logger;
};

}  // namespace

TEST_CASE("Logger: lines for the journal begin with a priority") {
    LogFile log(LogLevel::kDebug, LogFormat::kJournal);
    log.logger.debug("one");
    log.logger.info("two", {{"name", "eth0"}, {"retry_s", 4}, {"max", std::uint64_t{1} << 63}});
    log.logger.warning("three");
    log.logger.error("four");
    CHECK(log.text() == "<7>one\n<6>two name=eth0 retry_s=4 max=9223372036854775808\n<4>three\n<3>four\n");
}

TEST_CASE("Logger: a value that could be mistaken is quoted and escaped") {
    LogFile log(LogLevel::kInfo, LogFormat::kJournal);
    log.logger.info("e", {{"a", ""},
                          {"b", "two words"},
                          {"c", "x=y"},
                          {"d", "say \"hi\"\\"},
                          {"e", "line\n<3>forged"},
                          {"f", "\x1b[31m"},
                          {"g", "gr\xC3\xBCn"},
                          {"h", "\xFF"}});
    CHECK(log.text() ==
          "<6>e a=\"\" b=\"two words\" c=\"x=y\" d=\"say \\\"hi\\\"\\\\\" e=\"line\\n<3>forged\" f=\"\\u001b[31m\" "
          "g=\"gr\xC3\xBCn\" h=\"\xEF\xBF\xBD\"\n");
}

TEST_CASE("Logger: text lines have time and level") {
    LogFile log(LogLevel::kInfo, LogFormat::kText);
    log.logger.warning("interface down", {{"name", "eth0"}});
    CHECK(std::regex_match(log.text(),
                           std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ warning: interface down name=eth0\n)")));
}

TEST_CASE("Logger: JSON lines are objects, whatever is in them") {
    LogFile log(LogLevel::kInfo, LogFormat::kJson);
    log.logger.error("a \"quoted\" event", {{"key", "line\nbreak"}, {"n", -1}});
    CHECK(std::regex_match(
        log.text(),
        std::regex(
            R"(\{"time":"[^"]+Z","level":"error","event":"a \\"quoted\\" event","key":"line\\nbreak","n":"-1"\}\n)")));
}

TEST_CASE("Logger: JSON for the journal begins with a priority") {
    LogFile log(LogLevel::kInfo, LogFormat::kJournalJson);
    log.logger.warning("event", {{"n", 1}});
    CHECK(std::regex_match(log.text(),
                           std::regex(R"(<4>\{"time":"[^"]+Z","level":"warning","event":"event","n":"1"\}\n)")));
}

TEST_CASE("Logger: what is below the level is left out, and both can be changed") {
    LogFile log(LogLevel::kWarning, LogFormat::kJournal);
    log.logger.info("quiet");
    log.logger.warning("heard");
    log.logger.configure(LogLevel::kError, LogFormat::kText);
    log.logger.warning("quiet too");
    CHECK(log.text() == "<4>heard\n");
}

TEST_CASE("Logger: lines of several threads do not mix") {
    LogFile log(LogLevel::kInfo, LogFormat::kJournal);
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&log, t] {
                for (int i = 0; i < 200; ++i)
                    log.logger.info("event", {{"text", std::string(50, static_cast<char>('a' + t))}});
            });
    }
    const std::string text = log.text();
    const std::regex line(R"(<6>event text=([a-d])\1{49}\n)");
    CHECK(std::distance(std::sregex_iterator(text.begin(), text.end(), line), std::sregex_iterator()) == 800);
    CHECK(text.size() == 800 * 65);
}

TEST_CASE("RateLimit: one event per period, and the number held back") {
    RateLimit limit(10s);
    const auto start = std::chrono::steady_clock::now();
    CHECK(limit.admit(start) == 0);
    for (int i = 1; i < 10; ++i) CHECK(limit.admit(start + std::chrono::seconds(i)) == -1);
    CHECK(limit.admit(start + 10s) == 9);
    CHECK(limit.admit(start + 10s) == -1);
    CHECK(limit.admit(start + 100s) == 1);
    CHECK(limit.admit(start + 200s) == 0);
}
