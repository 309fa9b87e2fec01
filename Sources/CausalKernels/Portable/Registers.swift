// The registers that `Lanes` stands for: of 512 bits where the target has AVX-512, of 256 elsewhere, which a processor without them takes in
// two halves. The two extensions say the same because only concrete types have operators that compile to single instructions.

internal import CNumerics

#if CAUSAL_AVX512
public typealias Singles = SIMD16<Float>
public typealias Doubles = SIMD8<Double>
typealias Words = SIMD16<UInt32>
typealias LongWords = SIMD8<UInt64>
#else
public typealias Singles = SIMD8<Float>
public typealias Doubles = SIMD4<Double>
typealias Words = SIMD8<UInt32>
typealias LongWords = SIMD4<UInt64>
#endif

extension Lanes {
    /// How many registers like this one a processor has.
    @inline(__always) static var registers: Int {
        #if CAUSAL_AVX512
        32
        #else
        16
        #endif
    }
}

extension Singles: Lanes {
    @inline(__always) public static func load(_ p: UnsafePointer<Float>) -> Self { UnsafeRawPointer(p).loadUnaligned(as: Self.self) }
    @inline(__always) public func store(to p: UnsafeMutablePointer<Float>) { UnsafeMutableRawPointer(p).storeBytes(of: self, as: Self.self) }
    @inline(__always) public func adding(_ a: Self, times b: Self) -> Self {
        #if CAUSAL_FMA
        addingProduct(a, b)
        #else
        self + a * b
        #endif
    }
    @inline(__always) public func replacing(with other: Self, whereLess a: Self, than b: Self) -> Self { replacing(with: other, where: a .< b) }
    @inline(__always) public func replacing(with other: Self, whereNotPositive a: Self) -> Self { replacing(with: other, where: a .<= 0) }
    @inline(__always) public func replacing(with other: Self, where a: Self, is b: Self) -> Self { replacing(with: other, where: a .== b) }
    @inline(__always) public func timesTwo(toThe shifted: Self) -> Self {
        let power = unsafeBitCast(shifted, to: Words.self) &<< 23
        return unsafeBitCast(unsafeBitCast(self, to: Words.self) &+ power, to: Self.self)
    }
    @inline(__always) public func total() -> Float {
        #if CAUSAL_AVX512
        let eight = lowHalf + highHalf, four = eight.lowHalf + eight.highHalf
        #else
        let four = lowHalf + highHalf
        #endif
        let two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }
    @inline(__always) public static func totals(_ vectors: UnsafePointer<Float>, into totals: UnsafeMutablePointer<Float>) {
        #if CAUSAL_AVX512
        causal_totals_float_16(vectors, totals)
        #else
        causal_totals_float_8(vectors, totals)
        #endif
    }
    @inline(__always)
    public static func transpose(_ rows: UnsafePointer<Float>, _ stride: Int, into columns: UnsafeMutablePointer<Float>, _ targetStride: Int) {
        #if CAUSAL_AVX512
        causal_transpose_float_16(rows, stride, columns, targetStride)
        #else
        causal_transpose_float_8(rows, stride, columns, targetStride)
        #endif
    }
    @inline(__always) public func squares(addedTo sums: SIMD8<Double>) -> SIMD8<Double> {
        #if CAUSAL_AVX512
        let low = SIMD8<Double>(lowHalf), high = SIMD8<Double>(highHalf)
        return sums + low * low + high * high
        #else
        let wide = SIMD8<Double>(self)
        return sums + wide * wide
        #endif
    }
}

extension Doubles: Lanes {
    @inline(__always) public static func load(_ p: UnsafePointer<Double>) -> Self { UnsafeRawPointer(p).loadUnaligned(as: Self.self) }
    @inline(__always) public func store(to p: UnsafeMutablePointer<Double>) { UnsafeMutableRawPointer(p).storeBytes(of: self, as: Self.self) }
    @inline(__always) public func adding(_ a: Self, times b: Self) -> Self {
        #if CAUSAL_FMA
        addingProduct(a, b)
        #else
        self + a * b
        #endif
    }
    @inline(__always) public func replacing(with other: Self, whereLess a: Self, than b: Self) -> Self { replacing(with: other, where: a .< b) }
    @inline(__always) public func replacing(with other: Self, whereNotPositive a: Self) -> Self { replacing(with: other, where: a .<= 0) }
    @inline(__always) public func replacing(with other: Self, where a: Self, is b: Self) -> Self { replacing(with: other, where: a .== b) }
    @inline(__always) public func timesTwo(toThe shifted: Self) -> Self {
        let power = unsafeBitCast(shifted, to: LongWords.self) &<< 52
        return unsafeBitCast(unsafeBitCast(self, to: LongWords.self) &+ power, to: Self.self)
    }
    @inline(__always) public func total() -> Double {
        #if CAUSAL_AVX512
        let four = lowHalf + highHalf, two = four.lowHalf + four.highHalf
        #else
        let two = lowHalf + highHalf
        #endif
        return two[0] + two[1]
    }
    @inline(__always) public static func totals(_ vectors: UnsafePointer<Double>, into totals: UnsafeMutablePointer<Double>) {
        #if CAUSAL_AVX512
        causal_totals_double_8(vectors, totals)
        #else
        causal_totals_double_4(vectors, totals)
        #endif
    }
    @inline(__always)
    public static func transpose(_ rows: UnsafePointer<Double>, _ stride: Int, into columns: UnsafeMutablePointer<Double>, _ targetStride: Int) {
        #if CAUSAL_AVX512
        causal_transpose_double_8(rows, stride, columns, targetStride)
        #else
        causal_transpose_double_4(rows, stride, columns, targetStride)
        #endif
    }
    @inline(__always) public func squares(addedTo sums: SIMD8<Double>) -> SIMD8<Double> {
        #if CAUSAL_AVX512
        sums + self * self
        #else
        SIMD8(lowHalf: sums.lowHalf + self * self, highHalf: sums.highHalf)
        #endif
    }
}
