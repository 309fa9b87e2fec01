public import CausalKernelInterface

// A layer on columns: two vectors of rows by four outputs stay in eight registers while the loop runs over the inputs. A layer of one or two
// inputs does as well as a wide one, since what fills the lanes is rows.

/// What is done to a sum before it is stored to a place.
private protocol Ending {
    associatedtype Vector: Lanes
    func of(_ sum: Vector, _ place: Int) -> Vector
}

private struct Values<Rule: ActivationRule, Vector: Lanes>: Ending {
    @inline(__always) func of(_ sum: Vector, _ place: Int) -> Vector { Rule.value(sum) }
}

private struct Gradients<Rule: ActivationRule, Vector: Lanes>: Ending {
    /// What the rule looks at, of what it gave and what it took.
    let at: UnsafePointer<Vector.Scalar>

    @inline(__always) func of(_ sum: Vector, _ place: Int) -> Vector {
        let there = Vector.load(at + place)
        return Rule.gradient(sum, output: there, input: there)
    }
}

extension VectorKernels {
    @inline(__always) public static var columnBlock: Int { 2 * Vector.scalarCount }

    public static func combine(_ x: UnsafePointer<Scalar>, inputs: Int, weights: UnsafePointer<Scalar>, bias: UnsafePointer<Scalar>, activation: Activation,
                               into y: UnsafeMutablePointer<Scalar>, outputs: Int, stride: Int, rows: Int) {
        switch activation {
        case .relu: combine(x, inputs, weights, inputs, 1, bias, y, outputs, stride, rows, Values<Relu, Vector>())
        case .leakyRelu: combine(x, inputs, weights, inputs, 1, bias, y, outputs, stride, rows, Values<LeakyRelu, Vector>())
        case .elu: combine(x, inputs, weights, inputs, 1, bias, y, outputs, stride, rows, Values<Elu, Vector>())
        case .tanh: combine(x, inputs, weights, inputs, 1, bias, y, outputs, stride, rows, Values<Tanh, Vector>())
        case .sigmoid: combine(x, inputs, weights, inputs, 1, bias, y, outputs, stride, rows, Values<Sigmoid, Vector>())
        case .identity, .gelu, .softplus, .silu: combine(x, inputs, weights, inputs, 1, bias, y, outputs, stride, rows, Values<Identity, Vector>())
        }
    }

    public static func passBack(_ g: UnsafePointer<Scalar>, outputs: Int, weights: UnsafePointer<Scalar>, activation: Activation,
                                output y: UnsafePointer<Scalar>, input x: UnsafePointer<Scalar>?, into target: UnsafeMutablePointer<Scalar>, inputs: Int,
                                stride: Int, rows: Int) {
        switch activation {
        case .identity: combine(g, outputs, weights, 1, inputs, nil, target, inputs, stride, rows, Values<Identity, Vector>())
        case .relu: combine(g, outputs, weights, 1, inputs, nil, target, inputs, stride, rows, Gradients<Relu, Vector>(at: y))
        case .leakyRelu: combine(g, outputs, weights, 1, inputs, nil, target, inputs, stride, rows, Gradients<LeakyRelu, Vector>(at: y))
        case .elu: combine(g, outputs, weights, 1, inputs, nil, target, inputs, stride, rows, Gradients<Elu, Vector>(at: y))
        case .gelu: combine(g, outputs, weights, 1, inputs, nil, target, inputs, stride, rows, Gradients<Gelu, Vector>(at: x!))
        case .tanh: combine(g, outputs, weights, 1, inputs, nil, target, inputs, stride, rows, Gradients<Tanh, Vector>(at: y))
        case .sigmoid: combine(g, outputs, weights, 1, inputs, nil, target, inputs, stride, rows, Gradients<Sigmoid, Vector>(at: y))
        case .softplus: combine(g, outputs, weights, 1, inputs, nil, target, inputs, stride, rows, Gradients<Softplus, Vector>(at: x!))
        case .silu: combine(g, outputs, weights, 1, inputs, nil, target, inputs, stride, rows, Gradients<Silu, Vector>(at: x!))
        }
    }

    private static func combine<End: Ending>(_ x: UnsafePointer<Scalar>, _ inputs: Int, _ weights: UnsafePointer<Scalar>, _ outputStride: Int, _ inputStride: Int,
                                             _ bias: UnsafePointer<Scalar>?, _ y: UnsafeMutablePointer<Scalar>, _ outputs: Int, _ stride: Int, _ rows: Int,
                                             _ end: End) where End.Vector == Vector {
        let lanes = Vector.scalarCount
        @inline(__always) func put(_ sum: Vector, _ place: Int) { end.of(sum, place).store(to: y + place) }
        for block in Swift.stride(from: 0, to: rows, by: columnBlock) {
            var output = 0
            while output + 4 <= outputs {
                var a0 = Vector(repeating: bias?[output] ?? 0), b0 = Vector(repeating: bias?[output + 1] ?? 0)
                var c0 = Vector(repeating: bias?[output + 2] ?? 0), d0 = Vector(repeating: bias?[output + 3] ?? 0)
                var a1 = a0, b1 = b0, c1 = c0, d1 = d0
                var a = weights + output * outputStride, column = x + block
                for _ in 0..<inputs {
                    let x0 = Vector.load(column), x1 = Vector.load(column + lanes)
                    let first = Vector(repeating: a[0]), second = Vector(repeating: a[outputStride])
                    let third = Vector(repeating: a[2 * outputStride]), fourth = Vector(repeating: a[3 * outputStride])
                    a0 = a0.adding(x0, times: first)
                    a1 = a1.adding(x1, times: first)
                    b0 = b0.adding(x0, times: second)
                    b1 = b1.adding(x1, times: second)
                    c0 = c0.adding(x0, times: third)
                    c1 = c1.adding(x1, times: third)
                    d0 = d0.adding(x0, times: fourth)
                    d1 = d1.adding(x1, times: fourth)
                    a += inputStride
                    column += stride
                }
                var place = output * stride + block
                put(a0, place)
                put(a1, place + lanes)
                place += stride
                put(b0, place)
                put(b1, place + lanes)
                place += stride
                put(c0, place)
                put(c1, place + lanes)
                place += stride
                put(d0, place)
                put(d1, place + lanes)
                output += 4
            }
            while output < outputs {
                var a0 = Vector(repeating: bias?[output] ?? 0), a1 = a0
                var a = weights + output * outputStride, column = x + block
                for _ in 0..<inputs {
                    let weight = Vector(repeating: a[0])
                    a0 = a0.adding(.load(column), times: weight)
                    a1 = a1.adding(.load(column + lanes), times: weight)
                    a += inputStride
                    column += stride
                }
                put(a0, output * stride + block)
                put(a1, output * stride + block + lanes)
                output += 1
            }
        }
    }

    public static func columnProducts(_ g: UnsafePointer<Scalar>, outputs: Int, _ x: UnsafePointer<Scalar>, inputs: Int, stride: Int, rows: Int,
                                      accumulate: Bool, panel: UnsafeMutablePointer<Scalar>, into c: UnsafeMutablePointer<Scalar>) {
        if outputs == 1 { return columnProducts(g, x, inputs, stride, rows, accumulate, c) }
        // With few rows, to add up lanes would take longer than the products.
        if inputs >= (rows <= 4 * columnBlock ? Vector.scalarCount : 2 * tileColumns) {
            return columnProducts(g, outputs, x, inputs, stride, rows, accumulate, panel, c)
        }
        // A tile of four inputs by four outputs, or by two where there are registers for no more.
        let lanes = Vector.scalarCount, isTall = Vector.registers >= 32, height = isTall ? 4 : 2
        withUnsafeTemporaryAllocation(of: Scalar.self, capacity: 4 * height * lanes) { memory in
            // Totals take the place of sums that they are of.
            let sums = memory.baseAddress!, totals = sums
            // The columns of four inputs stay in the first cache while all outputs are gone through.
            for input in Swift.stride(from: 0, to: inputs, by: 4) {
                // A tile that hangs over the edge reads the last column again and does not store what comes of it.
                @inline(__always) func value(_ k: Int) -> UnsafePointer<Scalar> { x + min(input + k, inputs - 1) * stride }
                let x0 = value(0), x1 = value(1), x2 = value(2), x3 = value(3)
                for output in Swift.stride(from: 0, to: outputs, by: height) {
                    @inline(__always) func slope(_ k: Int) -> UnsafePointer<Scalar> { g + min(output + k, outputs - 1) * stride }
                    let g0 = slope(0), g1 = slope(1), g2 = slope(2), g3 = slope(3)
                    var a0 = Vector(repeating: 0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0
                    var c0 = a0, c1 = a0, c2 = a0, c3 = a0, d0 = a0, d1 = a0, d2 = a0, d3 = a0
                    for row in Swift.stride(from: 0, to: rows, by: lanes) {
                        let v0 = Vector.load(x0 + row), v1 = Vector.load(x1 + row), v2 = Vector.load(x2 + row), v3 = Vector.load(x3 + row)
                        @inline(__always) func add(_ g: UnsafePointer<Scalar>, _ s0: inout Vector, _ s1: inout Vector, _ s2: inout Vector, _ s3: inout Vector) {
                            let slope = Vector.load(g + row)
                            s0 = s0.adding(slope, times: v0)
                            s1 = s1.adding(slope, times: v1)
                            s2 = s2.adding(slope, times: v2)
                            s3 = s3.adding(slope, times: v3)
                        }
                        add(g0, &a0, &a1, &a2, &a3)
                        add(g1, &b0, &b1, &b2, &b3)
                        if isTall {
                            add(g2, &c0, &c1, &c2, &c3)
                            add(g3, &d0, &d1, &d2, &d3)
                        }
                    }
                    /// The sums of an output, in memory.
                    @inline(__always) func keep(_ k: Int, _ s0: Vector, _ s1: Vector, _ s2: Vector, _ s3: Vector) {
                        let place = sums + 4 * k * lanes
                        s0.store(to: place)
                        s1.store(to: place + lanes)
                        s2.store(to: place + 2 * lanes)
                        s3.store(to: place + 3 * lanes)
                    }
                    keep(0, a0, a1, a2, a3)
                    keep(1, b0, b1, b2, b3)
                    if isTall {
                        keep(2, c0, c1, c2, c3)
                        keep(3, d0, d1, d2, d3)
                    }
                    for first in Swift.stride(from: 0, to: 4 * height, by: lanes) { Vector.totals(sums + first * lanes, into: totals + first) }
                    let count = min(4, inputs - input)
                    for k in 0..<min(height, outputs - output) {
                        let target = c + (output + k) * inputs + input, own = totals + 4 * k
                        target[0] = (accumulate ? target[0] : 0) + own[0]
                        if count > 1 { target[1] = (accumulate ? target[1] : 0) + own[1] }
                        if count > 2 { target[2] = (accumulate ? target[2] : 0) + own[2] }
                        if count > 3 { target[3] = (accumulate ? target[3] : 0) + own[3] }
                    }
                }
            }
        }
    }

    @inline(__always) public static var columnRun: Int { 256 }

    /// Of inputs that fill a register: some of their rows at a time are turned into the second operand of an ordinary product.
    private static func columnProducts(_ g: UnsafePointer<Scalar>, _ outputs: Int, _ x: UnsafePointer<Scalar>, _ inputs: Int, _ stride: Int, _ rows: Int,
                                       _ accumulate: Bool, _ panel: UnsafeMutablePointer<Scalar>, _ c: UnsafeMutablePointer<Scalar>) {
        let width = tileColumns, run = columnRun
        for row in Swift.stride(from: 0, to: rows, by: run) {
            for input in Swift.stride(from: 0, to: inputs, by: width) {
                let depth = min(run, rows - row), columns = min(width, inputs - input)
                pack(x + input * stride + row, depth: depth, columns: columns, rowStride: 1, columnStride: stride, width: width, into: panel)
                multiply(g + row, rowStride: stride, stepStride: 1, tileStride: tileRows * stride, panels: panel, bias: nil, activation: .identity,
                         accumulate: accumulate || row > 0, into: c + input, stride: inputs, rows: outputs, columns: columns, depth: depth)
            }
        }
    }

    /// Of one output, whose column is read once for eight inputs.
    private static func columnProducts(_ g: UnsafePointer<Scalar>, _ x: UnsafePointer<Scalar>, _ inputs: Int, _ stride: Int, _ rows: Int, _ accumulate: Bool,
                                       _ c: UnsafeMutablePointer<Scalar>) {
        for input in Swift.stride(from: 0, to: inputs, by: 8) {
            @inline(__always) func column(_ k: Int) -> UnsafePointer<Scalar> { x + min(input + k, inputs - 1) * stride }
            let x0 = column(0), x1 = column(1), x2 = column(2), x3 = column(3), x4 = column(4), x5 = column(5), x6 = column(6), x7 = column(7)
            var s0 = Vector(repeating: 0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0
            for row in Swift.stride(from: 0, to: rows, by: Vector.scalarCount) {
                let slope = Vector.load(g + row)
                s0 = s0.adding(slope, times: .load(x0 + row))
                s1 = s1.adding(slope, times: .load(x1 + row))
                s2 = s2.adding(slope, times: .load(x2 + row))
                s3 = s3.adding(slope, times: .load(x3 + row))
                s4 = s4.adding(slope, times: .load(x4 + row))
                s5 = s5.adding(slope, times: .load(x5 + row))
                s6 = s6.adding(slope, times: .load(x6 + row))
                s7 = s7.adding(slope, times: .load(x7 + row))
            }
            @inline(__always) func put(_ k: Int, _ sum: Vector) {
                guard input + k < inputs else { return }
                c[input + k] = (accumulate ? c[input + k] : 0) + sum.total()
            }
            put(0, s0)
            put(1, s1)
            put(2, s2)
            put(3, s3)
            put(4, s4)
            put(5, s5)
            put(6, s6)
            put(7, s7)
        }
    }

    public static func columnTotals(_ g: UnsafePointer<Scalar>, columns: Int, stride: Int, rows: Int, accumulate: Bool,
                                    into sums: UnsafeMutablePointer<Scalar>) {
        let lanes = Vector.scalarCount
        for column in 0..<columns {
            var place = g + column * stride
            var a = Vector(repeating: 0), b = a
            for _ in Swift.stride(from: 0, to: rows, by: columnBlock) {
                a = a + .load(place)
                b = b + .load(place + lanes)
                place += columnBlock
            }
            sums[column] = (accumulate ? sums[column] : 0) + (a + b).total()
        }
    }
}
