@testable import CausalEngine
import CausalKernels
import Glibc
import Testing

/// Forward, loss and every gradient against PyTorch's, which Tests/Golden/make_golden.py computed.
@Suite struct GoldenTests {
    private static let folder = #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/Golden"

    static let names: [String] = {
        guard let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasSuffix(".safetensors") { names.append(name) }
        }
        return names.sorted()
    }()

    @Test func areThere() { #expect(GoldenTests.names.count >= 20) }

    @Test(arguments: names) func double(_ name: String) throws { try check(name, Double.self, tolerance: 1e-12) }
    @Test(arguments: names) func float(_ name: String) throws { try check(name, Float.self, tolerance: 1e-5) }

    private func check<Scalar: EngineScalar>(_ name: String, _: Scalar.Type, tolerance: Double) throws {
        let golden = try GoldenCase(path: "\(GoldenTests.folder)/\(name)")
        func expect(_ found: [Scalar], _ tensor: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let expected: Matrix<Double> = try golden.matrix(tensor)
            #expect(found.count == expected.elements.count, "\(tensor)", sourceLocation: sourceLocation)
            for (i, (a, b)) in zip(found, expected.elements).enumerated() {
                #expect(relativeError(Double(a), b) <= tolerance, "\(tensor)[\(i)]", sourceLocation: sourceLocation)
            }
        }

        let widths = golden.numbers("widths")
        let activation = try #require(Activation(rawValue: golden.text("activation")))
        let model = try Model<Scalar>(.mlp(inputs: widths[0], hidden: Array(widths[1..<widths.count - 1]), outputs: widths.last!,
                                           activation: activation), ownsParameters: true)
        try model.parameters!.set(golden.matrix("parameters").elements)
        var intervention = Intervention<Scalar>()
        for site in golden.numbers("sites") {
            intervention = try intervention.setting(site: site, mask: golden.mask("mask.\(site)"), values: golden.matrix("values.\(site)"))
        }

        let trace = try model.makeTrace()
        let y = try model.forward(golden.matrix("x"), under: intervention, trace: trace)
        try expect(y.elements, "y")

        let measure = try #require(Loss.Measure(rawValue: golden.text("loss_type")))
        let loss: Loss = golden.text("loss") == "standard" ? .standard(measure) : .intervention(measure)
        let mask = golden.has("loss_mask") ? try golden.mask("loss_mask") : nil
        let found = try loss.evaluate(.init(prediction: y, target: golden.matrix("target"), mask: mask))
        try expect([Scalar(found.value)], "loss")
        let dy = try #require(found.gradients.prediction)
        try expect(dy.elements, "grad_y")

        let gradients = try model.backward(dy, trace: trace)
        try expect(gradients.parameters, "grad_parameters")
        try expect(gradients.inputs.elements, "grad_x")
        for site in golden.numbers("sites") { try expect(gradients.values[site]!.elements, "grad_values.\(site)") }
    }
}

/// One file of Tests/Golden.
private struct GoldenCase {
    private let header: SafeTensors
    private let data: [UInt8]

    init(path: String) throws {
        let bytes = try AtomicFile.read(path) { size, next throws(EngineError) in
            var bytes = [UInt8](repeating: 0, count: size)
            try bytes.withUnsafeMutableBufferPointer { buffer throws(EngineError) in try next(UnsafeMutableRawBufferPointer(buffer)) }
            return bytes
        }
        let length = try SafeTensors.headerLength(bytes, fileSize: bytes.count)
        header = try SafeTensors(header: bytes[8..<8 + length], dataSize: bytes.count - 8 - length)
        data = Array(bytes[(8 + length)...])
    }

    func text(_ name: String) -> String { header.text(name) ?? "" }
    func numbers(_ name: String) -> [Int] { text(name).split(separator: ",").compactMap { Int($0) } }
    func has(_ name: String) -> Bool { header.tensors.contains { $0.name == name } }

    /// A tensor of one or two dimensions; one of (n) as (1, n).
    func matrix<Scalar: EngineScalar>(_ name: String) throws -> Matrix<Scalar> {
        let tensor = try #require(header.tensors.first { $0.name == name }, "\(name)")
        let doubles = data[tensor.begin..<tensor.end].withUnsafeBytes { bytes in
            (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Double.self) }
        }
        return try Matrix(rows: tensor.shape.count == 2 ? tensor.shape[0] : 1, columns: tensor.shape.last!, doubles.map { Scalar($0) })
    }

    func mask(_ name: String) throws -> [[Bool]] {
        let numbers: Matrix<Double> = try matrix(name)
        return (0..<numbers.rows).map { i in (0..<numbers.columns).map { numbers[i, $0] != 0 } }
    }
}
