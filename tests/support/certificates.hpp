// SPDX-License-Identifier: Apache-2.0
// Keys and certificates for tests, made by openssl(1) in a folder that is gone
// after the test, and a TLS or DTLS collector: its s_server.
#pragma once
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "exporters/transport/transport_options.hpp"
#include "tests/support/temporary_folder.hpp"

namespace nfstreamd::test {

class Certificates {
public:
    // Two CAs, "ca" and "other".
    Certificates() {
        for (const char* name : {"ca", "other"})
            openssl("req -x509 " + new_key(name) + " -days 30 -subj /CN=" + name + " -out " + pem(name));
    }

    // NAME.pem and NAME.key for these alternative names, "DNS:localhost,IP:127.0.0.1".
    void make(const std::string& name, const std::string& ca, const std::string& alternatives) {
        openssl("req -new " + new_key(name) + " -subj /CN=" + name + " -out " + path(name + ".csr"));
        std::ofstream(path("extensions")) << "subjectAltName=" << alternatives << "\n";
        openssl("x509 -req -in " + path(name + ".csr") + " -CA " + pem(ca) + " -CAkey " + key(ca) +
                " -CAcreateserial -days 30 -extfile " + path("extensions") + " -out " + pem(name));
    }

    std::string path(const std::string& name) const { return folder_.path(name); }
    std::string pem(const std::string& name) const { return path(name + ".pem"); }
    std::string key(const std::string& name) const { return path(name + ".key"); }

    exporters::TlsOptions options(const std::string& name, const std::string& ca = "ca") const {
        return {.ca = pem(ca), .certificate = pem(name), .key = key(name), .server_name = {}, .ciphers = {}};
    }

private:
    std::string new_key(const std::string& name) const {
        return "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout " + key(name);
    }
    void openssl(const std::string& arguments) {
        REQUIRE(std::system(("openssl " + arguments + " >/dev/null 2>&1 </dev/null").c_str()) == 0);
    }

    TemporaryFolder folder_;
};

inline std::string text_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// `openssl s_server` of a certificate by "ca"; what it receives is in a file. Its
// input is a pipe that stays open, as it ends with it.
class SecureCollector {
public:
    SecureCollector(const Certificates& certificates, const std::string& name, std::uint16_t port,
                    const std::vector<std::string>& more)
        : received_(certificates.path(name + ".received")), said_(certificates.path(name + ".said")) {
        std::vector<std::string> words{"openssl",
                                       "s_server",
                                       "-accept",
                                       "127.0.0.1:" + std::to_string(port),
                                       "-cert",
                                       certificates.pem(name),
                                       "-key",
                                       certificates.key(name),
                                       "-CAfile",
                                       certificates.pem("ca"),
                                       "-Verify",
                                       "1",
                                       "-verify_return_error",
                                       "-quiet"};
        words.insert(words.end(), more.begin(), more.end());
        std::string command = "exec";
        for (const auto& word : words) command += " " + word;
        command += " >" + received_ + " 2>" + said_;
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        input_ = ends[1];
        process_ = ::fork();
        if (process_ == 0) {
            ::dup2(ends[0], 0);
            ::close(ends[0]);
            ::close(ends[1]);
            ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
            ::_exit(127);
        }
        ::close(ends[0]);
    }
    ~SecureCollector() { kill(); }
    SecureCollector(const SecureCollector&) = delete;
    SecureCollector& operator=(const SecureCollector&) = delete;

    void kill() {
        if (process_ > 0) {
            ::kill(process_, SIGKILL);
            ::waitpid(process_, nullptr, 0);
            ::close(input_);
        }
        process_ = -1;
    }

    std::string received() const { return text_of(received_); }
    std::string said() const { return text_of(said_); }

private:
    const std::string received_, said_;
    int input_ = -1;
    pid_t process_ = -1;
};

}  // namespace nfstreamd::test
