// SPDX-License-Identifier: Apache-2.0
// Files and variables for the tests of the configuration, gone with the test.
#pragma once
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/load.hpp"

namespace nfstreamd::config::test {

class Workspace {
public:
    Workspace() {
        std::string name = (std::filesystem::temp_directory_path() / "nfstreamd-config-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
        root_ = name;
    }
    ~Workspace() {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;

    // Writes a file and returns its whole path.
    std::string write(const std::string& name, const std::string& text) const {
        const auto path = root_ / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
        return path.string();
    }
    std::string path(const std::string& name) const { return (root_ / name).string(); }

private:
    std::filesystem::path root_;
};

class Variable {
public:
    Variable(std::string name, const std::string& value) : name_(std::move(name)) {
        ::setenv(name_.c_str(), value.c_str(), 1);
    }
    ~Variable() { ::unsetenv(name_.c_str()); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    std::string name_;
};

// Two exporter types of the tests' own.
inline std::span<const ExporterSchema> schemas() {
    static constexpr std::array kFlow = {
        SettingSpec{.name = "collectors", .type = SettingType::kStringList, .default_value = "", .required = true},
        SettingSpec{.name = "rate_limit", .type = SettingType::kInteger, .default_value = "0", .min = 0, .max = 1e9},
        SettingSpec{.name = "flush_interval", .type = SettingType::kDuration, .default_value = "1s"},
        SettingSpec{.name = "ratio", .type = SettingType::kNumber, .default_value = "0.5", .min = 0, .max = 1},
        SettingSpec{.name = "password", .type = SettingType::kSecret, .default_value = ""},
        SettingSpec{.name = "fields", .type = SettingType::kStringList, .default_value = "[src_ip, dst_ip]"},
        SettingSpec{.name = "template_refresh", .type = SettingType::kDuration, .default_value = ""},
    };
    static constexpr std::array kFile = {
        SettingSpec{.name = "path", .type = SettingType::kString, .default_value = "", .required = true},
        SettingSpec{.name = "mode",
                    .type = SettingType::kChoice,
                    .default_value = "plain",
                    .reload = Reload::kLive,
                    .description = "Plain | or not.",
                    .choices = "plain gzip"},
    };
    static constexpr std::array kSchemas = {ExporterSchema{"flow", "To a collector.", kFlow},
                                            ExporterSchema{"file", "To a file.", kFile}};
    return kSchemas;
}

using Overrides = std::vector<std::pair<std::string, std::string>>;

inline Loaded load_file(const std::string& file, Overrides overrides = {}) {
    return load(LoadRequest{file, std::move(overrides), schemas(), {}});
}

// One file with this text, and nothing else.
inline Loaded load_text(const std::string& text, Overrides overrides = {}) {
    const Workspace workspace;
    return load_file(workspace.write("t.yaml", text), std::move(overrides));
}

// Errors as lines, without the folder of the workspace: "t.yaml:1:2: key: message".
inline std::vector<std::string> lines(const Loaded& loaded) {
    std::vector<std::string> out;
    for (const ConfigError& error : loaded.errors) {
        std::string text = error.text();
        const auto start = text.find("/nfstreamd-config-");
        if (start == 0 || (start != std::string::npos && text[0] == '/')) text.erase(0, text.find('/', start + 1) + 1);
        out.push_back(std::move(text));
    }
    return out;
}

// Exactly one error, "" otherwise.
inline std::string only_error(const Loaded& loaded) {
    const auto all = lines(loaded);
    return all.size() == 1 ? all[0] : std::string();
}

}  // namespace nfstreamd::config::test
