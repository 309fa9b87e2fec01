/// A policy whose numbers can be learned: `x = intercept + Σ coefficient · parent`, kept within a range. Its gradient reaches the numbers and,
/// through the parents, what is behind them; where the range holds a value back, it is 0.
public struct LinearPolicy: Sendable {
    /// Real variables, or binary ones, whose codes 0 and 1 count.
    package let reads: [String]
    /// The intercept and a coefficient for each of `reads`, shared by all rows; or as many for each row, row-major.
    package let numbers: [Double]
    package let range: ClosedRange<Double>

    public init(_ reads: [String], intercept: Double, coefficients: [Double], within range: ClosedRange<Double> = -Double.infinity ... .infinity) {
        self.init(reads: reads, numbers: [intercept] + coefficients, within: range)
    }

    package init(reads: [String], numbers: [Double], within range: ClosedRange<Double>) {
        self.reads = reads
        self.numbers = numbers
        self.range = range
    }

    /// Numbers that one row has.
    var width: Int { reads.count + 1 }

    /// - Throws: `.shape`, `.value`, naming the variable that follows it.
    func check(for variable: Variable, rows: Int) throws(EngineError) {
        guard variable.kind == .real else {
            throw EngineError(.value, "scenario: \(variable.name) is categorical, expected a real variable for a linear policy")
        }
        guard numbers.count == width || (numbers.count % width == 0 && numbers.count / width == rows) else {
            throw EngineError(.shape, "scenario: the linear policy of \(variable.name) has \(numbers.count) numbers, expected \(width), intercept and "
                + "coefficients, or as many for each of \(rows) rows")
        }
        if let strange = numbers.first(where: { !$0.isFinite }) {
            throw EngineError(.value, "scenario: the linear policy of \(variable.name) has the number \(strange), expected finite numbers")
        }
        guard !range.lowerBound.isNaN, !range.upperBound.isNaN, range.lowerBound < .infinity, range.upperBound > -.infinity else {
            throw EngineError(.value, "scenario: the linear policy of \(variable.name) is kept within \(range.lowerBound) and \(range.upperBound)")
        }
    }
}

extension CompiledScenario {
    struct Line: Sendable {
        let reads: [Int]
        let policy: LinearPolicy

        /// Intercept and coefficients of a row.
        private func numbers(_ row: Int) -> ArraySlice<Double> {
            let width = policy.width, first = policy.numbers.count == width ? 0 : row * width
            return policy.numbers[first..<first + width]
        }

        private func unbounded(_ row: Int, _ i: Int, _ values: Columns<Double>) -> Double {
            let numbers = numbers(row)
            var sum = numbers.first!
            for (coefficient, variable) in zip(numbers.dropFirst(), reads) { sum += coefficient * values[variable][i] }
            return sum
        }

        /// Its value in a row, which is number i of these.
        func value(_ row: Int, _ i: Int, _ values: Columns<Double>) -> Double {
            let value = unbounded(row, i, values)
            return value.isNaN ? value : min(max(value, policy.range.lowerBound), policy.range.upperBound)
        }

        /// From the gradient of its value to those of its numbers, which are overwritten, and of what it reads, which are added to.
        func gradient(_ slope: Double, _ row: Int, _ i: Int, _ values: Columns<Double>, numbers target: UnsafeMutablePointer<Double>,
                      parents: Columns<Double>) {
            let slope = policy.range.contains(unbounded(row, i, values)) ? slope : 0
            target[0] = slope
            for (k, (coefficient, variable)) in zip(numbers(row).dropFirst(), reads).enumerated() {
                // What nothing passes through is not multiplied: it may be missing.
                target[k + 1] = slope == 0 ? 0 : slope * values[variable][i]
                parents[variable][i] += slope * coefficient
            }
        }
    }
}
