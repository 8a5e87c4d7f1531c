// SPDX-License-Identifier: Apache-2.0
// An exporter in a shared object of others. What the plugin does wrong is an
// error with its name, counted as a failure: a call that throws, numbers that
// cannot be. Belongs to the thread of its exporter.
#pragma once
#include <chrono>
#include <memory>
#include <string>

#include "core/base/log.hpp"
#include "core/export/exporter.hpp"
#include "core/record/template.hpp"
#include "exporters/plugin/plugin_host.hpp"
#include "exporters/plugin/plugin_library.hpp"
#include "exporters/registry.hpp"

namespace nfstreamd::exporters {

extern const ExporterType kPluginExporterType;

struct PluginOptions {
    std::string name;  // of the exporter
    std::string path;  // of the shared object
    PluginSettings settings;
    FieldSelection fields;
    FieldGroups groups;
    std::uint32_t private_enterprise_number = 0;
};

class PluginExporter final : public Exporter {
public:
    // `logger` outlives the exporter. Nothing is loaded before open().
    PluginExporter(PluginOptions options, Logger& logger);
    ~PluginExporter() override { close(); }

    Status open() override;
    Status write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) override;
    Status pause() override;
    Status flush() override;
    void close() noexcept override;
    void set_patience(std::chrono::milliseconds patience) override { patience_ = patience; }

    const ExporterCounters& counters() const noexcept override { return counters_; }
    std::string description() const override { return "plugin:" + path_; }

private:
    struct Answer {
        int code;
        std::string text;
        bool threw = false;
    };

    Status load();
    Status create();
    void end_instance() noexcept;
    template <class Call>  // int(nfstreamd_error*)
    Answer ask(const char* function, const Call& call) noexcept;
    Status checked(const char* function, const Answer& answer);
    Status distrust(const std::string& what);
    Status fail(ErrorCode code, const std::string& what);
    Status not_open() const;
    void count_lost(std::size_t lost) noexcept;

    const std::string name_, path_;
    const FieldSelection fields_;
    Logger& logger_;
    const PluginHost host_;
    std::chrono::milliseconds patience_;

    std::unique_ptr<PluginLibrary> library_;
    void* instance_ = nullptr;
    bool created_ = false, open_ = false;
    std::uint64_t taken_ = 0;  // records, by this instance
    ExporterCounters counters_;
};

}  // namespace nfstreamd::exporters
