internal import CausalKernels

/// How the parents of a variable become the inputs of its mechanism's network: a real one standardised, a categorical one as an indicator
/// for each level (of two levels, one says it all).
struct ParentCode: Hashable, Sendable {
    private struct Parent: Hashable {
        let variable: Int
        let width: Int
        let scale: Standardisation
    }

    private let parents: [Parent]
    /// Columns of the input.
    let width: Int

    init(of variable: Int, _ description: StructuralDescription, _ scales: [Standardisation]) {
        self.init(description.parents[variable].map { Parent(variable: $0, width: description.variables[$0].codeWidth, scale: scales[$0]) })
    }

    /// By column of the input, which parent it is of.
    var groups: [Int] { parents.enumerated().flatMap { [Int](repeating: $0, count: $1.width) } }

    private init(_ parents: [Parent]) {
        self.parents = parents
        width = parents.reduce(0) { $0 + $1.width }
    }

    /// The same for a table that has the parents in other columns.
    func reading(_ columns: [Int: Int]) -> ParentCode {
        ParentCode(parents.map { Parent(variable: columns[$0.variable]!, width: $0.width, scale: $0.scale) })
    }

    /// One row, from the values of all variables. What is missing is NaN in every column that stands for it.
    func encode(_ values: UnsafePointer<Double>, into codes: UnsafeMutablePointer<Double>) {
        var place = codes
        for parent in parents {
            let value = values[parent.variable]
            if parent.width == 1 {
                place[0] = parent.scale.standard(value)
            } else {
                let isKnown = value >= 0 && value < Double(parent.width)
                place.update(repeating: isKnown ? 0 : .nan, count: parent.width)
                if isKnown { place[Int(value)] = 1 }
            }
            place += parent.width
        }
    }

    /// Adds to the gradient with respect to all variables what reaches them through the code.
    func addGradient(_ codes: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>) {
        var place = codes
        for parent in parents {
            // A level is not a number that could be a little larger.
            if parent.width == 1 { values[parent.variable] += place[0] / parent.scale.scale }
            place += parent.width
        }
    }
}

/// `(value - mean) / scale` of a real variable; a categorical one is left as it is.
struct Standardisation: Hashable, Sendable {
    var mean = 0.0
    var scale = 1.0
    /// Whether the scale is that of the values; false where these vary, and their variance is no number.
    private(set) var isOfSpread = true

    init() {}

    init(mean: Double, scale: Double) {
        self.mean = mean
        self.scale = scale
    }

    /// Of the values that are known.
    init(_ values: [Double]) {
        let known = values.filter(\.isFinite)
        guard !known.isEmpty else { return }
        mean = known.reduce(0, +) / Double(known.count)
        let variance = known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(known.count)
        if variance > 0, variance.isFinite {
            scale = variance.squareRoot()
        } else {
            isOfSpread = known.allSatisfy { $0 == known[0] }
        }
    }

    func standard(_ value: Double) -> Double { (value - mean) / scale }
    func original(_ standard: Double) -> Double { mean + scale * standard }
}
