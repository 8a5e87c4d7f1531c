// SPDX-License-Identifier: Apache-2.0
// nfstreamd._engine: what the package nfstreamd is written on.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "core/application/ndpi_dissector.hpp"
#include "core/capture/packet_source.hpp"
#include "core/metering/field_groups.hpp"
#include "daemon/python/flow_reader.hpp"

namespace py = pybind11;

namespace nfstreamd::python {
namespace {

// Where Python's exceptions are made of our errors; the text tells what it is about.
class EngineError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

template <class T>
T get(const py::dict& options, const char* name) {
    return options[name].cast<T>();
}

std::chrono::milliseconds seconds(const py::dict& options, const char* name) {
    constexpr std::uint64_t kLongest = 4'000'000'000;  // seconds: sums with times of packets do not overflow
    return std::chrono::seconds(std::min(get<std::uint64_t>(options, name), kLongest));
}

StreamOptions stream_options(const py::dict& from) {
    StreamOptions options;
    options.sources = get<std::vector<std::string>>(from, "sources");
    options.live = get<bool>(from, "live");
    options.meters = get<unsigned>(from, "n_meters");
    options.capture.bpf_filter = get<std::string>(from, "bpf_filter");
    options.capture.promiscuous_mode = get<bool>(from, "promiscuous_mode");
    options.capture.snapshot_length = get<int>(from, "snapshot_length");
    options.capture.socket_buffer_size = get<std::uint64_t>(from, "socket_buffer_size");
    options.capture.required = true;
    auto& metering = options.metering;
    metering.idle_timeout = seconds(from, "idle_timeout");
    metering.active_timeout = seconds(from, "active_timeout");
    metering.max_flows = get<std::uint32_t>(from, "max_flows");
    metering.max_nflows = get<std::uint64_t>(from, "max_nflows");
    metering.prefault = false;
    metering.overload_from.reset();  // whoever reads decides what is lost
    metering.accounting_mode = get<int>(from, "accounting_mode");
    metering.decode_tunnels = TunnelSet(get<bool>(from, "decode_tunnels"));
    const auto limits = get<std::tuple<unsigned, unsigned, unsigned>>(from, "n_dissections");
    std::tie(metering.n_dissections.tcp, metering.n_dissections.udp, metering.n_dissections.other) = limits;
    metering.statistical_analysis = get<bool>(from, "statistical_analysis");
    metering.running_means = metering.creation_ids = true;
    metering.splt_analysis = get<unsigned>(from, "splt_analysis");
    metering.system_visibility_mode = get<int>(from, "system_visibility_mode");
    metering.system_visibility_poll = std::chrono::milliseconds(
        std::min<std::uint64_t>(get<std::uint64_t>(from, "system_visibility_poll_ms"), 3'600'000));
    metering.compatibility = get<Generation>(from, "generation");
    metering.nfstream3_records = metering.compatibility == Generation::kNfstream3;
    metering.n_dissections.exact = metering.compatibility == Generation::kNfstream3;
    return options;
}

std::vector<std::vector<Reference>> plugins_of(const py::dict& options) {
    std::vector<std::vector<Reference>> by_meter;
    for (const py::handle meter : options["plugins"]) {
        auto& plugins = by_meter.emplace_back();
        for (const py::handle plugin : meter) plugins.push_back(Reference::to(plugin.ptr()));
    }
    return by_meter;
}

PyTypeObject* packet_type() {
    static PyTypeObject* const type = make_packet_type();
    return type;
}

// The classes are the package's, and stay as long as it.
PluginTypes types_of(const py::dict& options) {
    const py::object udps = options["udps_type"];
    return {reinterpret_cast<PyTypeObject*>(options["flow_type"].ptr()), packet_type(),
            udps.is_none() ? nullptr : udps.ptr(), options["plugin_type"].ptr()};
}

int drop(void* reader) {
    delete static_cast<FlowReader*>(reader);
    return 0;
}

struct DropReader {
    void operator()(FlowReader* reader) const noexcept {
        if (!reader->is_called_by_a_meter() || Py_AddPendingCall(&drop, reader) != 0) delete reader;
    }
};
using OwnedReader = std::unique_ptr<FlowReader, DropReader>;

OwnedReader start(const py::dict& from) {
    const StreamOptions options = stream_options(from);
    auto schema = std::make_shared<const FlowSchema>(options.metering.compatibility, field_groups(options.metering));
    auto reader = OwnedReader(new FlowReader(options, std::move(schema), types_of(from), plugins_of(from)));
    if (auto started = reader->start(); !started) {
        if (started.error().code == ErrorCode::kInvalidArgument) throw EngineError("bpf_filter");
        throw EngineError(started.error().text());
    }
    return reader;
}

py::object next(FlowReader& reader) {
    PyObject* flow = reader.next();
    if (flow != nullptr) return py::reinterpret_steal<py::object>(flow);
    if (PyErr_Occurred()) throw py::error_already_set();
    throw py::stop_iteration();
}

struct Hidden {
    std::unique_ptr<exporters::Anonymizer> anonymizer;
    FlowReader::Anonymization anonymization;
};

Hidden hide(const std::vector<std::string>& columns, const py::bytes& key, const py::object& pseudonym) {
    Hidden hidden;
    if (!columns.empty()) {
        exporters::Anonymizer::Key octets{};
        const std::string given = key;
        std::copy_n(given.begin(), std::min(given.size(), octets.size()), octets.begin());
        auto made = exporters::Anonymizer::make(columns, octets);
        if (!made) throw EngineError(made.error().text());
        hidden.anonymizer = std::move(made.value());
    }
    hidden.anonymization = {columns, hidden.anonymizer.get(), pseudonym.ptr()};
    return hidden;
}

// The vector becomes the array's memory.
template <class T>
py::array array_of(std::vector<T>&& values) {
    auto* owned = new std::vector<T>(std::move(values));
    const py::capsule owner(owned, [](void* vector) { delete static_cast<std::vector<T>*>(vector); });
    return py::array_t<T>(static_cast<py::ssize_t>(owned->size()), owned->data(), owner);
}

py::array array_of_objects(std::vector<PyObject*>& objects) {
    py::array array(py::dtype("O"), static_cast<py::ssize_t>(objects.size()));
    auto** place = static_cast<PyObject**>(array.mutable_data());
    for (std::size_t i = 0; i < objects.size(); ++i) Py_XSETREF(place[i], objects[i]);
    objects.clear();
    return array;
}

py::array array_of(Column& column, std::size_t rows) {
    if (column.kind() == Column::Kind::kInteger) return array_of(std::move(column.integers()));
    if (column.kind() == Column::Kind::kFloat) return array_of(std::move(column.floats()));
    if (!column.all_missing()) return array_of_objects(column.objects());
    return array_of(std::vector<double>(rows, std::numeric_limits<double>::quiet_NaN()));
}

// (names and arrays, names of texts that may be numbers, place of the plugins' columns, flows with values of plugins)
py::tuple columns(FlowReader& reader, const std::vector<std::string>& hidden_columns, const py::bytes& key,
                  const py::object& pseudonym) {
    const Hidden hidden = hide(hidden_columns, key, pseudonym);
    const py::object missing = py::module_::import("numpy").attr("nan");
    std::vector<Column> read;
    std::size_t rows = 0;
    Reference flows;
    if (!reader.read_columns(hidden.anonymization, missing.ptr(), read, rows, flows)) throw py::error_already_set();
    py::dict arrays;
    py::list numeric;
    const FlowSchema& schema = reader.schema();
    for (std::size_t i = 0; i < read.size(); ++i) {
        const py::handle name(schema.name(i));
        if (i == schema.id()) {
            std::vector<std::int64_t> ids(rows);
            for (std::size_t row = 0; row < rows; ++row) ids[row] = static_cast<std::int64_t>(row);
            arrays[name] = array_of(std::move(ids));
            continue;
        }
        if (read[i].kind() == Column::Kind::kObject && read[i].looks_numeric()) numeric.append(name);
        arrays[name] = array_of(read[i], rows);
    }
    const py::object with_values = flows ? py::reinterpret_steal<py::object>(flows.release()) : py::object(py::none());
    return py::make_tuple(arrays, numeric, schema.plugin_values(), with_values, rows);
}

std::uint64_t csv(FlowReader& reader, const std::string& path, const std::vector<std::string>& hidden_columns,
                  const py::bytes& key, const py::object& pseudonym, std::uint64_t flows_per_file,
                  std::uint64_t rotate_files) {
    const Hidden hidden = hide(hidden_columns, key, pseudonym);
    CsvFile file(path, flows_per_file, rotate_files);
    const auto flows = reader.read_csv(file, hidden.anonymization);
    if (!flows) throw py::error_already_set();
    return *flows;
}

py::tuple totals(const FlowReader& reader) {
    const StreamTotals totals = reader.totals();
    return py::make_tuple(totals.packets, totals.ignored, totals.dropped, totals.packets_by_meter, totals.flows);
}

std::vector<std::string> interfaces() {
    std::vector<std::string> names;
    if (const auto listed = list_interfaces())
        for (const auto& interface : listed.value()) names.push_back(interface.name);
    return names;
}

py::list names_of(const FlowReader& reader) {
    py::list names;
    for (std::size_t i = 0; i < reader.schema().fields().size(); ++i) names.append(py::handle(reader.schema().name(i)));
    return names;
}

}  // namespace
}  // namespace nfstreamd::python

PYBIND11_MODULE(_engine, module) {
    using namespace nfstreamd;
    using namespace nfstreamd::python;
    py::register_exception<EngineError>(module, "Error", PyExc_ValueError);
    PyTypeObject* flow = make_flow_type();
    if (flow == nullptr || packet_type() == nullptr) throw py::error_already_set();
    module.attr("Flow") = py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(flow));
    module.attr("NFPacket") = py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(packet_type()));
    module.attr("__version__") = NFSTREAMD_VERSION;
    py::enum_<Generation>(module, "Generation")
        .value("NFSTREAM6", Generation::kNfstream6)
        .value("NFSTREAM3", Generation::kNfstream3)
        .value("NFSTREAM0", Generation::kNfstream0);
    py::class_<FlowReader, OwnedReader>(module, "FlowReader")
        .def("__iter__", [](py::object self) { return self; })
        .def("__next__", next)
        .def("columns", columns)
        .def("csv", csv)
        .def("totals", totals)
        .def("names", names_of)
        .def("close", &FlowReader::close);
    module.def("start", start);
    module.def("interfaces", interfaces);
    module.def("check_filter", [](const std::string& filter) { return check_bpf_filter(filter).has_value(); });
    module.def("ndpi_version", ndpi_version);
}
