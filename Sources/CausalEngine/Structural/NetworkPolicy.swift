public import CausalKernels
internal import Glibc

/// A policy that is a network, whose numbers can be learned: `x = low + (high - low) logistic(network(reads))`, with the reads standardised. Its gradient
/// reaches the numbers and, through the reads, what is behind them.
///
/// The range is approached smoothly: a value that a bound held back would have no gradient, and a network all of whose values are held back, as one may
/// be that begins anywhere, would never learn.
public struct NetworkPolicy: Sendable {
    package let reads: [String]
    package let hidden: [Int]
    package let activation: Activation
    package let range: ClosedRange<Double>
    /// For each of `reads`, what is taken off and what is divided by; empty for values as they are. They belong to the policy, which so says the same in
    /// every model.
    package let scales: [(mean: Double, scale: Double)]
    /// Of each layer the weight (outputs, inputs), row-major, and the bias, one after the other.
    package let numbers: [Double]

    /// - Parameter reads: variables of any kind. Of a categorical one with more than two levels the network is given an indicator for each.
    public init(_ reads: [String], hidden: [Int] = [16], activation: Activation = .gelu, within range: ClosedRange<Double>,
                scales: [(mean: Double, scale: Double)] = [], numbers: [Double]) {
        self.reads = reads
        self.hidden = hidden
        self.activation = activation
        self.range = range
        self.scales = scales
        self.numbers = numbers
    }

    /// - Throws: `.shape`, `.value`, naming the variable that follows it.
    func check(for variable: Variable) throws(EngineError) {
        func expect(_ isFine: Bool, _ what: @autoclosure () -> String, _ kind: EngineError.Kind = .value) throws(EngineError) {
            guard isFine else { throw EngineError(kind, "scenario: the network policy of \(variable.name) \(what())") }
        }
        try expect(variable.kind == .real, "sets a categorical variable, expected a real one")
        try expect(!reads.isEmpty, "reads nothing, expected a variable at least")
        try expect((range.upperBound - range.lowerBound).isFinite && range.lowerBound < range.upperBound,
                   "is kept within \(range.lowerBound) and \(range.upperBound), expected finite bounds, the first below the second")
        try expect(scales.isEmpty || scales.count == reads.count, "has \(scales.count) scales, expected \(reads.count), one a variable that it reads", .shape)
        for (mean, scale) in scales {
            try expect(mean.isFinite && scale.isFinite && scale > 0, "has the mean \(mean) and the scale \(scale), expected finite numbers, the scale above 0")
        }
        if let strange = numbers.first(where: { !$0.isFinite }) { try expect(false, "has the number \(strange), expected finite numbers") }
    }
}

extension CompiledScenario {
    struct NetworkRun: Sendable {
        private let code: ParentCode
        private let network: ColumnNetwork
        private let policy: NetworkPolicy

        /// - Parameter reads: the numbers of the variables, in the policy's order.
        init(_ policy: NetworkPolicy, of variable: Variable, reads: [Int], _ description: StructuralDescription) throws(EngineError) {
            try policy.check(for: variable)
            self.policy = policy
            code = ParentCode(reading: reads, description, policy.scales.map { Standardisation(mean: $0.mean, scale: $0.scale) })
            let network = try Network.mlp(inputs: code.width, hidden: policy.hidden, outputs: 1, activation: policy.activation)
            let layout = try ParameterLayout(network)
            guard policy.numbers.count == layout.count else {
                throw EngineError(.shape, "scenario: the network policy of \(variable.name) has \(policy.numbers.count) numbers, expected \(layout.count) for "
                    + "the widths \(([code.width] + policy.hidden + [1]).map { "\($0)" }.joined(separator: ", "))")
            }
            self.network = ColumnNetwork(network, layout)!       // it is an MLP
        }

        /// Numbers of its gradient.
        var count: Int { policy.numbers.count }

        /// Its values in some rows. Where one `isIgnored` nothing is read.
        func evaluate(_ values: Columns<Double>, isIgnored: [Bool], into result: UnsafeMutablePointer<Double>) throws(EngineError) {
            try withColumns(code.width + 1 + network.traceColumns, rows: values.rows, Double.self) { codes throws(EngineError) in
                let sums = codes.from(code.width)
                forward(values, isIgnored, codes, network.trace(in: sums.from(1)), into: sums)
                for i in 0..<values.rows { result[i] = policy.range.lowerBound + span * share(sums[0][i]) }
            }
        }

        /// From the gradient of its values to that of its numbers, which is overwritten, and of what it reads, which is added to. Where the gradient is 0
        /// nothing is read.
        func gradient(_ slopes: [Double], _ values: Columns<Double>, numbers target: UnsafeMutablePointer<Double>, reads: Columns<Double>)
            throws(EngineError) {
            let width = code.width, count = values.rows
            let columns = 2 * width + 1 + network.traceColumns, panel = columns
            try withColumns(columns + Double.kernels.tileColumns, rows: count, Double.self) { codes throws(EngineError) in
                let codeGradients = codes.from(width), sums = codeGradients.from(width), memory = sums.from(1), trace = network.trace(in: memory)
                forward(values, slopes.map { $0 == 0 }, codes, trace, into: sums)
                for i in 0..<count {
                    let share = share(sums[0][i])
                    sums[0][i] = slopes[i] == 0 ? 0 : slopes[i] * span * share * (1 - share)
                }
                sums.fillUp(1)
                policy.numbers.withUnsafeBufferPointer { numbers in
                    network.backward(sums, codes, numbers.baseAddress!, trace,
                                     into: ColumnNetwork.Targets(inputs: codeGradients, parameters: target, panel: codes[panel]))
                }
                code.addGradient(codeGradients, to: reads)
            }
        }

        private func forward(_ values: Columns<Double>, _ isIgnored: [Bool], _ codes: Columns<Double>, _ trace: ColumnNetwork.Trace<Double>,
                             into sums: Columns<Double>) {
            code.encode(values, isIgnored: isIgnored, into: codes)
            policy.numbers.withUnsafeBufferPointer { numbers in
                network.forward(codes, numbers.baseAddress!, trace, into: sums)
            }
        }

        private var span: Double { policy.range.upperBound - policy.range.lowerBound }
        private func share(_ sum: Double) -> Double { 1 / (1 + exp(-sum)) }
    }
}
