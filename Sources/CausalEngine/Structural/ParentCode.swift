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

    /// Of other variables, in this order, with a scale each; with none as they are.
    init(reading variables: [Int], _ description: StructuralDescription, _ scales: [Standardisation]) {
        self.init(variables.enumerated().map { k, variable in
            Parent(variable: variable, width: description.variables[variable].codeWidth, scale: scales.isEmpty ? Standardisation() : scales[k])
        })
    }

    /// What it reads.
    var variables: [Int] { parents.map(\.variable) }
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

    /// From the values of all variables; what is missing is NaN in every column that stands for it. In a row that `isIgnored` the parents are not
    /// looked at, and their code is 0.
    func encode<Scalar: EngineScalar>(_ values: Columns<Double>, isIgnored: [Bool]? = nil, into codes: Columns<Scalar>) {
        var place = 0
        for parent in parents {
            let value = UnsafePointer(values[parent.variable])
            if parent.width == 1 {
                parent.scale.standard(value, into: codes[place], count: codes.rows)
            } else {
                for i in 0..<codes.rows {
                    let isKnown = value[i] >= 0 && value[i] < Double(parent.width)
                    for level in 0..<parent.width { codes[place + level][i] = isKnown ? 0 : .nan }
                    if isKnown { codes[place + Int(value[i])][i] = 1 }
                }
            }
            place += parent.width
        }
        if let isIgnored {
            for k in 0..<width {
                for i in 0..<codes.rows where isIgnored[i] { codes[k][i] = 0 }
            }
        }
        codes.fillUp(width)
    }

    /// Adds to the gradient with respect to all variables what reaches them through the code.
    func addGradient<Scalar: EngineScalar>(_ codes: Columns<Scalar>, to values: Columns<Double>) {
        var place = 0
        for parent in parents {
            // A level is not a number that could be a little larger.
            if parent.width == 1 {
                let code = codes[place], sum = values[parent.variable], scale = parent.scale.scale
                for i in 0..<codes.rows { sum[i] += Double(code[i]) / scale }
            }
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
    func standard<Scalar: EngineScalar>(_ values: UnsafePointer<Double>, into standard: UnsafeMutablePointer<Scalar>, count: Int) {
        for i in 0..<count { standard[i] = Scalar((values[i] - mean) / scale) }
    }
    func original(_ standard: Double) -> Double { mean + scale * standard }
}
